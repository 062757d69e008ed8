//! Properties of base URLs for any text: tokens are sent over https or stay on this machine, and no password is shown.

use proptest::collection::vec;
use proptest::prelude::*;

use super::*;
use crate::error::ErrorKind;
use crate::properties::cases;

/// Generates URLs from valid and invalid parts.
fn address() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        3 => prop::sample::select(&PARTS).prop_map(str::to_owned),
        1 => "[a-z0-9.:/]{0,6}",
        1 => any::<char>().prop_map(String::from),
    ];
    let scheme =
        prop_oneof![Just("https://"), Just("http://"), Just("HTTPS://"), Just("ftp://"), Just("https:"), Just("")];
    (scheme, vec(piece, 0..7)).prop_map(|(scheme, pieces)| format!("{scheme}{}", pieces.concat()))
}

const PARTS: [&str; 16] = [
    "acme.example",
    "localhost",
    "127.0.0.1",
    "[::1]",
    "[::ffff:127.0.0.1]",
    "2130706433",
    "10.0.0.1",
    ":8080",
    ":99999",
    "/",
    "/base",
    "?x",
    "#y",
    "robot:PA55WORD@",
    "@",
    "\\",
];

proptest! {
    #![proptest_config(cases(512))]

    #[test]
    fn accepts_safe_urls_only_and_never_shows_passwords(text in address()) {
        match base_url(&text) {
            Ok(url) => {
                let here = match url.host() {
                    Some(Host::Ipv4(address)) => address.octets()[0] == 127,
                    Some(Host::Ipv6(address)) => address.segments() == [0, 0, 0, 0, 0, 0, 0, 1],
                    Some(Host::Domain(name)) => name == "localhost",
                    None => false,
                };
                prop_assert!(url.scheme() == "https" || (url.scheme() == "http" && here), "{}", url);
                prop_assert!(url.username().is_empty() && url.password().is_none());
                prop_assert!(url.query().is_none() && url.fragment().is_none());
                prop_assert!(url.path() == "/" || !url.path().ends_with('/'));
                prop_assert_eq!(base_url(url.as_str()).ok(), Some(url));
            }
            Err(error) => {
                let all = format!("{error} {error:?}");
                prop_assert_eq!(error.kind(), ErrorKind::Config);
                prop_assert!(!error.was_sent() && !all.to_uppercase().contains("PA55WORD"), "{}", all);
                prop_assert!(!error.to_string().contains(char::is_control), "{}", error);
            }
        }
    }

    #[test]
    fn keeps_ordinary_urls(host in "[a-z]{1,5}\\.example", port in prop::option::of(1_u16..400), path in "(/[a-zA-Z0-9_-]{1,5}){0,3}", end in "/{0,2}", blank in " ?") {
        let origin = port.map_or(format!("https://{host}"), |port| format!("https://{host}:{port}"));
        let url = base_url(&format!("{blank}{origin}{path}{end}{blank}"))?;
        prop_assert_eq!(url.host_str(), Some(host.as_str()));
        prop_assert_eq!(url.port_or_known_default(), port.or(Some(443)));
        prop_assert_eq!(url.path().trim_end_matches('/'), &path);
        let parent = without_server_path(url, &path);
        prop_assert_eq!(parent.path(), "/");
    }
}
