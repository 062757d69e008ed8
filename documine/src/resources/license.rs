//! `7. License`: the licence of the workspace and its usage.

use crate::client::{Client, named_call};
use crate::models::{License, LicenseUsage, Timestamp};

/// The period of a licence report.
#[derive(Debug, Clone, Default)]
pub(crate) struct Period {
    start: Option<Timestamp>,
    end: Option<Timestamp>,
}

impl Client {
    /// Fetches the licence (`getLicense`).
    pub fn license(&self) -> GetLicense {
        GetLicense::new(self, (), |client, (), options| {
            Box::pin(async move { client.fetch(client.requests().get_license().prepare(), &options).await })
        })
    }

    /// Fetches the usage of the licence (`getLicenseUsage`). Default period: unlimited; see [`from`](GetLicenseUsage::from) and [`to`](GetLicenseUsage::to).
    ///
    /// ```
    /// # async fn f(client: documine::Client) -> documine::Result<()> {
    /// let usage = client.license_usage().await?;
    /// println!("{:?} of {:?} pages", usage.analysed_pages, usage.licensed_pages);
    /// # Ok(()) }
    /// ```
    pub fn license_usage(&self) -> GetLicenseUsage {
        GetLicenseUsage::new(self, Period::default(), |client, period, options| {
            Box::pin(async move {
                let mut request = client.requests().get_license_usage();
                if let Some(start) = period.start {
                    request = request.start_date(start);
                }
                if let Some(end) = period.end {
                    request = request.end_date(end);
                }
                client.fetch(request.prepare(), &options).await
            })
        })
    }
}

named_call! {
    /// Fetches the licence of the workspace (`getLicense`). Created by [`Client::license`].
    ///
    /// ```
    /// # async fn f(client: documine::Client) -> documine::Result<()> {
    /// println!("{:?}", client.license().await?);
    /// # Ok(()) }
    /// ```
    GetLicense(()) -> License
}

named_call! {
    /// Fetches the usage of the licence (`getLicenseUsage`). Created by [`Client::license_usage`].
    ///
    /// ```
    /// # async fn f(client: documine::Client) -> documine::Result<()> {
    /// let usage = client.license_usage().await?;
    /// println!("{:?} of {:?} pages", usage.analysed_pages, usage.licensed_pages);
    /// # Ok(()) }
    /// ```
    GetLicenseUsage(Period) -> LicenseUsage
}

impl GetLicenseUsage {
    /// Sets the start of the period.
    pub fn from(mut self, start: Timestamp) -> Self {
        self.call.params.start = Some(start);
        self
    }

    /// Sets the end of the period.
    pub fn to(mut self, end: Timestamp) -> Self {
        self.call.params.end = Some(end);
        self
    }
}
