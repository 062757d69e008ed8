//! The file of profiles, read key by key. What stands in it may be secret: an error names file, line and key, and never shows a value.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{ErrorKind, Read};
use std::ops::Range;
use std::path::{Path, PathBuf};

use toml::Spanned;
use toml::de::{DeString, DeTable, DeValue};
use zeroize::Zeroizing;

use super::Profile;
use crate::auth::Secret;
use crate::error::{Error, Result};
use crate::text;

/// Far more than anybody writes by hand.
const LARGEST: u64 = 1024 * 1024;
/// Of a key that nobody knows, an error shows so much.
const LONGEST: usize = 60;

const KEYS: &str = "base_url, workspace, client_id, client_secret, username, password, auth_path, token_path, device_path, issuer, \
                    scopes and store";

/// A file of profiles, not yet understood.
pub(super) struct ProfileFile {
    pub(super) path: PathBuf,
    pub(super) text: Zeroizing<String>,
    /// Whether anybody but its owner can read it, where the system says so.
    pub(super) open_to_others: bool,
}

type Entry<'a> = (&'a Spanned<DeString<'a>>, &'a Spanned<DeValue<'a>>);

impl ProfileFile {
    /// `None`: there is no such file.
    pub(super) fn read(path: &Path) -> Result<Option<Self>> {
        let what = || format!("the file of profiles {} can't be read", path.display());
        let file = match File::open(path) {
            Ok(file) => file,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(Error::file(what(), error)),
        };
        // RetryAfterHint of the file that is open: the name may lead elsewhere a moment later.
        let metadata = file.metadata().map_err(|error| Error::file(what(), error))?;
        let mut text = Zeroizing::new(String::new());
        let read = file.take(LARGEST + 1).read_to_string(&mut text).map_err(|error| Error::file(what(), error))?;
        if read as u64 > LARGEST {
            return Err(Error::config(format!("{}: larger than 1 MiB, so it is no file of profiles", path.display())));
        }
        Ok(Some(Self { path: path.to_owned(), text, open_to_others: open_to_others(&metadata) }))
    }

    /// The profile with this name.
    pub(super) fn profile(&self, name: &str) -> Result<Profile> {
        self.named(name, self.understood()?.1)
    }

    /// The profile that the file itself calls the default.
    pub(super) fn default_profile(&self) -> Result<Option<Profile>> {
        let (default, profiles) = self.understood()?;
        default.map(|name| self.named(&name, profiles)).transpose()
    }

    fn named(&self, name: &str, mut profiles: BTreeMap<String, Profile>) -> Result<Profile> {
        profiles.remove(name).ok_or_else(|| {
            let names: Vec<_> = profiles.keys().map(|name| text::one_line(name)).collect();
            let names = if names.is_empty() { "none".into() } else { names.join(", ") };
            Error::config(format!("{}: there is no profile {name:?}; it has: {names}", self.path.display()))
        })
    }

    /// The name of the default, and all profiles.
    fn understood(&self) -> Result<(Option<String>, BTreeMap<String, Profile>)> {
        // The message holds words of the parser alone, the error's own text would show the line.
        let document = DeTable::parse(&self.text)
            .map_err(|error| self.wrong(&error.span().unwrap_or_default(), &text::one_line(error.message())))?;
        let (mut default, mut profiles) = (None, BTreeMap::new());
        for entry in document.get_ref() {
            match (entry.0.get_ref().as_ref(), entry.1.get_ref()) {
                ("default", _) => default = Some(self.text_of(entry)?),
                ("profiles", DeValue::Table(table)) => {
                    for entry in table {
                        let profile = self.profile_of(entry)?;
                        profiles.insert(profile.name.clone(), profile);
                    }
                }
                ("profiles", _) => return Err(self.wrong_key(entry, "is no table; begin each with `[profiles.NAME]`")),
                _ => return Err(self.wrong_key(entry, "is not known; known are `default` and `[profiles.NAME]`")),
            }
        }
        let holds_secret = |profile: &Profile| profile.password.is_some() || profile.client_secret.is_some();
        if self.open_to_others && profiles.values().any(holds_secret) {
            let path = self.path.display();
            return Err(Error::config(format!(
                "{path} holds a password or a client secret, and others can read it; run: chmod 600 {path}"
            )));
        }
        Ok((default, profiles))
    }

    fn profile_of(&self, entry: Entry<'_>) -> Result<Profile> {
        let DeValue::Table(table) = entry.1.get_ref() else {
            return Err(self.wrong_key(entry, "is no profile; a profile begins with `[profiles.NAME]`"));
        };
        let mut profile = Profile { name: entry.0.get_ref().to_string(), ..Profile::default() };
        for setting in table {
            let text = || self.text_of(setting);
            match setting.0.get_ref().as_ref() {
                "base_url" => profile.base_url = Some(text()?),
                "workspace" => profile.workspace = Some(text()?),
                "client_id" => profile.client_id = Some(text()?),
                "client_secret" => profile.client_secret = Some(Secret::new(text()?)),
                "username" => profile.username = Some(text()?),
                "password" => profile.password = Some(Secret::new(text()?)),
                "auth_path" => profile.auth_path = Some(text()?),
                "token_path" => profile.token_path = Some(text()?),
                "device_path" => profile.device_path = Some(text()?),
                "issuer" => profile.issuer = Some(text()?),
                "scopes" => profile.scopes = self.scopes(setting)?,
                "store" => profile.store = Some(self.store(setting)?),
                _ => return Err(self.wrong_key(setting, &format!("is not known; known are {KEYS}"))),
            }
        }
        if profile.username.is_some() != profile.password.is_some() {
            return Err(self.wrong_key(entry, "has one of `username` and `password`; give both or neither"));
        }
        if profile.client_secret.is_some() && profile.client_id.is_none() {
            return Err(self.wrong_key(entry, "has a `client_secret` without its `client_id`; give both or neither"));
        }
        Ok(profile)
    }

    fn text_of(&self, entry: Entry<'_>) -> Result<String> {
        match entry.1.get_ref() {
            DeValue::String(text) if !text.trim().is_empty() => Ok(text.to_string()),
            DeValue::String(_) => Err(self.wrong_key(entry, "is empty; give a value, or leave it out")),
            _ => Err(self.wrong_key(entry, "is no text; write it in quotes")),
        }
    }

    fn scopes(&self, entry: Entry<'_>) -> Result<Vec<String>> {
        let wrong = || self.wrong_key(entry, "is no list of scopes; write [\"openid\", \"offline_access\"]");
        // RFC 6749 section 3.3: a blank would make two of one.
        let scope = |value: &Spanned<DeValue<'_>>| {
            let text = value.get_ref().as_str().filter(|text| !text.is_empty() && !text.contains(char::is_whitespace));
            text.map(str::to_owned).ok_or_else(wrong)
        };
        entry.1.get_ref().as_array().ok_or_else(wrong)?.iter().map(scope).collect()
    }

    fn store(&self, entry: Entry<'_>) -> Result<String> {
        let store = self.text_of(entry)?;
        if ["file", "keyring"].contains(&store.as_str()) || Path::new(&store).is_absolute() {
            return Ok(store);
        }
        Err(self.wrong_key(entry, "is no store; use \"file\", \"keyring\", or the whole path of a file"))
    }

    fn wrong_key(&self, (key, _): Entry<'_>, what: &str) -> Error {
        let name: String = text::one_line(key.get_ref()).chars().take(LONGEST).collect();
        self.wrong(&key.span(), &format!("`{name}` {what}"))
    }

    fn wrong(&self, place: &Range<usize>, what: &str) -> Error {
        let before = self.text.get(..place.start).unwrap_or(&self.text);
        let line = before.bytes().filter(|byte| *byte == b'\n').count() + 1;
        Error::config(format!("{}, line {line}: {what}", self.path.display()))
    }
}

#[cfg(unix)]
fn open_to_others(metadata: &std::fs::Metadata) -> bool {
    use std::os::unix::fs::PermissionsExt;
    metadata.permissions().mode() & 0o077 != 0
}

/// Elsewhere a person's own folder is closed to others by the system.
#[cfg(not(unix))]
fn open_to_others(_: &std::fs::Metadata) -> bool {
    false
}
