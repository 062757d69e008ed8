//! The faults of a run, weighted so that the given share of all requests fails.

use documine_sim::{Fault, Faults};

/// Returns faults with weights. Plausible but wrong values (`patch`, `body`) are left out, because the SDK cannot detect them.
fn faults() -> Vec<(f64, Fault)> {
    let any = || Fault::on("api/*");
    vec![
        (4.0, any().reset_before_headers()),
        (4.0, any().unseen()),
        (3.0, any().reset_after_headers()),
        (3.0, any().cut_after(20)),
        (1.0, any().stall_after(10)),
        (2.0, any().drip(64, 2)),
        (0.5, any().refuse(30)),
        (3.0, any().rate_limited(1)),
        (1.0, any().rate_limited_until_date(1)),
        (3.0, any().unavailable(0)),
        (3.0, any().bad_gateway_page()),
        (2.0, any().empty_error()),
        (2.0, any().login_page()),
        (2.0, any().truncated_json()),
        (2.0, any().content_length(10)),
        (2.0, any().method("GET").delivered_twice()),
        (2.0, any().token_expired()),
        (1.0, any().token_revoked()),
        (2.0, any().latency_ms(50)),
        (1.0, any().delay_ms(50)),
        (1.0, any().status(504).body("text/plain", "upstream request timeout")),
        (1.0, any().header("Connection", "close")),
        (2.0, any().unknown_enum()),
        (2.0, any().extra_fields()),
        (1.0, Fault::on("getLicense").null_lists()),
        (1.0, Fault::on("getFiles").wrong_element()),
        (1.0, any().method("GET").huge_body(200_000)),
        (1.0, Fault::on("idp/*").unavailable(0)),
    ]
}

/// Returns faults of package downloads. Truncated responses make the client request the rest, which most of the other faults affect.
fn download_faults() -> Vec<(f64, Fault)> {
    let package = || Fault::on("downloadPackage");
    vec![
        (4.0, package().cut_after(30_000)),
        (2.0, package().cut_after(15_000)),
        (1.0, package().stall_after(20_000)),
        (2.0, package().ignore_range()),
        (2.0, package().changed_etag()),
        (2.0, package().lying_content_range(7)),
    ]
}

/// Returns the plan: the faults affect `share` of the requests, and additional faults twice that share of the downloads.
pub(crate) fn plan(share: f64) -> Faults {
    let plan = Faults::default();
    // If several faults match a request, the first one takes effect.
    for (faults, share) in [(download_faults(), 2.0 * share), (faults(), share)] {
        let whole: f64 = faults.iter().map(|(weight, _)| weight).sum();
        for (weight, fault) in faults {
            plan.add(fault.probability((share * weight / whole).min(1.0)));
        }
    }
    plan
}
