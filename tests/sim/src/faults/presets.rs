//! The plans that come with the simulator. They are TOML files in `faults/` of the crate, to be copied and changed.

use super::{FaultError, Faults};

const PRESETS: [(&str, &str); 4] = [
    ("flaky", include_str!("../../faults/flaky.toml")),
    ("rude-proxy", include_str!("../../faults/rude-proxy.toml")),
    ("rate-limited", include_str!("../../faults/rate-limited.toml")),
    ("newer-server", include_str!("../../faults/newer-server.toml")),
];

pub(super) fn names() -> impl Iterator<Item = &'static str> {
    PRESETS.into_iter().map(|(name, _)| name)
}

pub(super) fn plan(name: &str) -> Result<Faults, FaultError> {
    let Some((_, text)) = PRESETS.into_iter().find(|(known, _)| *known == name) else {
        let known = names().collect::<Vec<_>>().join(", ");
        return Err(FaultError::new(format!("there is no preset `{name}`; write one of {known}")));
    };
    Faults::parse(text).map_err(|error| FaultError::new(format!("preset {name}: {error}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_presets_are_in_order_and_spare_the_identity_provider() {
        for name in names() {
            let faults = plan(name).expect(name).list();
            assert!(faults.iter().all(|fault| fault.operation == "api/*"), "{name}");
        }
        assert_eq!(
            plan("flakey").expect_err("unknown").to_string(),
            "there is no preset `flakey`; write one of flaky, rude-proxy, rate-limited, newer-server"
        );
    }
}
