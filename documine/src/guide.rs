//! The guide, chapter by chapter.

/// Defines a chapter from its Markdown file and the examples that belong to it.
macro_rules! chapter {
    ($name:ident $(, $example:literal)*) => {
        #[doc = include_str!(concat!("../docs/", stringify!($name), ".md"))]
        $(
            #[doc = concat!("\n# Example: `", $example, "`\n\n```no_run")]
            #[doc = include_str!(concat!("../examples/", $example, ".rs"))]
            #[doc = "```"]
        )*
        pub mod $name {}
    };
}

chapter!(getting_started, "upload_file");
chapter!(logins, "device_login");
chapter!(keeping_a_login, "service_account");
chapter!(uploading, "folder_to_csv");
chapter!(waiting, "wait_with_progress");
chapter!(lists);
chapter!(packages, "package_report", "resumable_download", "archive_packages");
chapter!(your_own_types, "typed_values");
chapter!(errors_and_retries);
chapter!(faults);
chapter!(web_services, "web_service");
chapter!(without_async_main, "blocking_main");
chapter!(testing_your_code, "testing_with_faults");
chapter!(observing, "metrics");
chapter!(proxies_and_certificates);
chapter!(your_own_openapi_document, "raw_requests");
chapter!(troubleshooting);
