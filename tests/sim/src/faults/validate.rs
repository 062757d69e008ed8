//! Validation of faults. Errors name the text to write instead.

use http::{HeaderName, HeaderValue, StatusCode};

use super::fault::Fault;
use crate::idp;

/// Groups of effects of which a fault has at most one: each group replaces the response, ends the connection, or ends the token.
const ALTERNATIVES: [(&str, &[&str]); 3] = [
    (
        "answers",
        &["rate_limited", "rate_limited_until_date", "unavailable", "bad_gateway_page", "empty_error", "login_page"],
    ),
    (
        "ends of a connection",
        &[
            "cut_after",
            "stall_after",
            "drip",
            "content_length",
            "reset_before_headers",
            "reset_after_headers",
            "refuse",
        ],
    ),
    ("ends of a token", &["token_expired", "token_revoked"]),
];

impl Fault {
    /// Returns an error if the fault cannot happen.
    pub(crate) fn validate(&self) -> Result<(), String> {
        known_operation(&self.operation)?;
        if self.nth == Some(0) {
            return Err("nth = 0: requests are counted from 1; write nth = 1 for the first".to_owned());
        }
        match self.probability {
            Some(probability) if !(0.0..=1.0).contains(&probability) => {
                return Err(format!("probability = {probability}: write a number from 0 to 1, as 0.2 for a fifth"));
            }
            None if self.burst.is_some() => {
                return Err("burst goes with probability; without one write times = N".to_owned());
            }
            _ => {}
        }
        if let Some(status) = self.status.filter(|status| StatusCode::from_u16(*status).is_err() || *status < 200) {
            return Err(format!("status = {status}: write an HTTP status from 200 to 999"));
        }
        for (name, value) in &self.headers {
            if HeaderName::try_from(name).is_err() || HeaderValue::from_str(value).is_err() {
                return Err(format!("`{name}: {value}` is not an HTTP header"));
            }
        }
        if self.drip.is_some_and(|drip| drip.bytes == 0) {
            return Err("drip without bytes: write drip = { bytes = 1, every_ms = 10 }".to_owned());
        }
        let effects = self.effects();
        if effects.is_empty() {
            return Err(
                "it does nothing; write what goes wrong, as status = 503 or reset_before_headers = true".to_owned()
            );
        }
        for (what, alternatives) in ALTERNATIVES {
            let chosen: Vec<&str> = effects.iter().copied().filter(|effect| alternatives.contains(effect)).collect();
            if let [first, second, ..] = chosen.as_slice() {
                return Err(format!("{first} and {second} are two {what}; write two faults"));
            }
        }
        Ok(())
    }
}

fn known_operation(operation: &str) -> Result<(), String> {
    let api = || documine_api::operations::OPERATIONS.iter().map(|operation| operation.id);
    let known = || ["*", "api/*", "idp/*"].into_iter().chain(api()).chain(idp::OPERATIONS);
    if known().any(|known| known == operation) {
        return Ok(());
    }
    if operation.is_empty() {
        return Err("operation is missing; write one as operation = \"getFiles\", or \"*\" for any".to_owned());
    }
    Err(match closest(operation, known()) {
        Some(suggestion) => format!("there is no operation `{operation}`; write `{suggestion}`"),
        None => format!(
            "there is no operation `{operation}`; write one of `*`, `api/*`, `idp/*`, {}, {}",
            idp::OPERATIONS.join(", "),
            api().collect::<Vec<_>>().join(", ")
        ),
    })
}

/// Returns the closest known word, if one is close enough.
pub(crate) fn closest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let plain = |word: &str| word.to_lowercase().replace('-', "_");
    let distance = |known: &str| strsim::damerau_levenshtein(&plain(word), &plain(known));
    let closest = known.into_iter().min_by_key(|known| distance(known))?;
    (distance(closest) * 3 <= word.chars().count()).then_some(closest)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(fault: &Fault) -> String {
        fault.validate().expect_err("refused")
    }

    #[test]
    fn rejects_invalid_faults() {
        assert_eq!(Fault::on("getFiles").probability(0.5).burst(2).unavailable(1).validate(), Ok(()));
        assert_eq!(Fault::on("token").reset_before_headers().unseen().validate(), Ok(()));
        assert_eq!(refused(&Fault::on("getFils").unseen()), "there is no operation `getFils`; write `getFiles`");
        assert!(refused(&Fault::on("dance").unseen()).contains("`*`, `api/*`, `idp/*`, auth, token"));
        assert!(refused(&Fault::default().unseen()).starts_with("operation is missing"));
        assert!(refused(&Fault::on("*").probability(20.0).unseen()).contains("from 0 to 1"));
        assert!(refused(&Fault::on("*").probability(f64::NAN).unseen()).contains("from 0 to 1"));
        assert!(refused(&Fault::on("*").burst(1).unseen()).contains("times"));
        assert!(refused(&Fault::on("*").nth(1)).contains("does nothing"));
        assert!(refused(&Fault::on("*").nth(0).unseen()).contains("nth = 1"));
        assert!(refused(&Fault::on("*").status(99)).contains("from 200"));
        assert!(refused(&Fault::on("*").header("a b", "c")).contains("not an HTTP header"));
        assert!(refused(&Fault::on("*").drip(0, 1)).contains("every_ms"));
        assert_eq!(
            refused(&Fault::on("*").cut_after(1).refuse(5)),
            "cut_after and refuse are two ends of a connection; write two faults"
        );
    }
}
