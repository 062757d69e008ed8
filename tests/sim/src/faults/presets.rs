//! The preset plans. Their TOML files are in `faults/` of the crate, to be copied and changed.

use super::plan::Faults;
use super::plan_file::FaultError;

const PRESETS: [(&str, &str); 4] = [
    ("flaky", include_str!("../../faults/flaky.toml")),
    ("rude-proxy", include_str!("../../faults/rude-proxy.toml")),
    ("rate-limited", include_str!("../../faults/rate-limited.toml")),
    ("newer-server", include_str!("../../faults/newer-server.toml")),
];

impl Faults {
    /// Returns the preset plan of this name. [`preset_names`](Self::preset_names) lists the names.
    pub fn preset(name: &str) -> Result<Self, FaultError> {
        let Some((_, text)) = PRESETS.into_iter().find(|(known, _)| *known == name) else {
            let known = Self::preset_names().collect::<Vec<_>>().join(", ");
            return Err(FaultError::new(format!("there is no preset `{name}`; write one of {known}")));
        };
        Self::parse(text).map_err(|error| FaultError::new(format!("preset {name}: {error}")))
    }

    /// Returns the names of the preset plans: `flaky`, `rude-proxy`, `rate-limited`, `newer-server`.
    pub fn preset_names() -> impl Iterator<Item = &'static str> {
        PRESETS.into_iter().map(|(name, _)| name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn presets_are_valid_and_exclude_the_identity_provider() {
        for name in Faults::preset_names() {
            let faults = Faults::preset(name).expect(name).list();
            assert!(faults.iter().all(|fault| fault.operation == "api/*"), "{name}");
        }
        assert_eq!(
            Faults::preset("flakey").expect_err("unknown").to_string(),
            "there is no preset `flakey`; write one of flaky, rude-proxy, rate-limited, newer-server"
        );
    }
}
