//! The faults of a campaign, in shares that add up to the part of all requests that is to go wrong.

use documine_sim::{Fault, Faults};

/// Faults and their weights. What only a reader of the answer could notice, such as values that are plausible but wrong, is not among them.
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
        (2.0, any().unknown_enum()),
        (2.0, any().extra_fields()),
        (1.0, Fault::on("getLicense").null_lists()),
        (1.0, Fault::on("getFiles").wrong_element()),
        (1.0, any().method("GET").huge_body(200_000)),
        (1.0, Fault::on("idp/*").unavailable(0)),
    ]
}

/// The plan: together the faults hit this part of the requests.
pub(crate) fn plan(share: f64) -> Faults {
    let faults = faults();
    let whole: f64 = faults.iter().map(|(weight, _)| weight).sum();
    let plan = Faults::default();
    for (weight, fault) in faults {
        plan.add(fault.probability(share * weight / whole));
    }
    plan
}
