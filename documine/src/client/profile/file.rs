//! The file of profiles. Its values may be secret: an error names file, line and key, and never shows a value.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{ErrorKind, Read};
use std::ops::Range;
use std::path::{Path, PathBuf};

use toml::Spanned;
use toml::de::{DeString, DeTable, DeValue};
use zeroize::Zeroizing;

use super::settings::Profile;
use crate::auth::Secret;
use crate::error::{Error, Result};
use crate::text;

/// The limit on the size of the file in bytes, far more than a person writes by hand.
const MAX_SIZE: u64 = 1024 * 1024;
/// The characters of an unknown key that an error shows.
const MAX_KEY_SHOWN: usize = 60;

const KEYS: &str = "base_url, workspace, client_id, client_secret, username, password, auth_path, token_path, device_path, issuer, \
                    scopes or store";

/// A file of profiles, not yet parsed.
pub(super) struct ProfileFile {
    pub(super) path: PathBuf,
    pub(super) text: Zeroizing<String>,
    /// True if other users than the owner can access the file, if the system reports it.
    pub(super) accessible_to_others: bool,
}

type TomlEntry<'a> = (&'a Spanned<DeString<'a>>, &'a Spanned<DeValue<'a>>);

impl ProfileFile {
    /// Reads a file. `None`: it does not exist.
    pub(super) fn read(path: &Path) -> Result<Option<Self>> {
        let context = || format!("could not read the file of profiles {}", path.display());
        let file = match File::open(path) {
            Ok(file) => file,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(Error::file(context(), error)),
        };
        // The metadata of the open file: the path may name another file a moment later.
        let metadata = file.metadata().map_err(|error| Error::file(context(), error))?;
        let mut text = Zeroizing::new(String::new());
        let read = file.take(MAX_SIZE + 1).read_to_string(&mut text).map_err(|error| Error::file(context(), error))?;
        if read as u64 > MAX_SIZE {
            return Err(Error::config(format!("{}: larger than 1 MiB; not a file of profiles", path.display())));
        }
        Ok(Some(Self { path: path.to_owned(), text, accessible_to_others: accessible_to_others(&metadata) }))
    }

    /// Returns the profile with this name.
    pub(super) fn profile(&self, name: &str) -> Result<Profile> {
        self.find(name, self.parse()?.1)
    }

    /// Returns the default profile of the file.
    pub(super) fn default_profile(&self) -> Result<Option<Profile>> {
        let (default, profiles) = self.parse()?;
        default.map(|name| self.find(&name, profiles)).transpose()
    }

    fn find(&self, name: &str, mut profiles: BTreeMap<String, Profile>) -> Result<Profile> {
        profiles.remove(name).ok_or_else(|| {
            let names: Vec<_> = profiles.keys().map(|name| text::one_line(name)).collect();
            let names = if names.is_empty() { "none".into() } else { names.join(", ") };
            Error::config(format!("{}: no profile {name:?}; available: {names}", self.path.display()))
        })
    }

    /// Returns the name of the default profile, and all profiles.
    fn parse(&self) -> Result<(Option<String>, BTreeMap<String, Profile>)> {
        // The message contains words of the parser only; the error's `Display` would show the line.
        let document = DeTable::parse(&self.text)
            .map_err(|error| self.error_at(&error.span().unwrap_or_default(), &text::one_line(error.message())))?;
        let (mut default, mut profiles) = (None, BTreeMap::new());
        for entry in document.get_ref() {
            match (entry.0.get_ref().as_ref(), entry.1.get_ref()) {
                ("default", _) => default = Some(self.string(entry)?),
                ("profiles", DeValue::Table(table)) => {
                    for entry in table {
                        let profile = self.parse_profile(entry)?;
                        profiles.insert(profile.name.clone(), profile);
                    }
                }
                ("profiles", _) => {
                    return Err(self.key_error(entry, "must be a table; start each profile with `[profiles.NAME]`"));
                }
                _ => return Err(self.key_error(entry, "is not supported; use `default` or `[profiles.NAME]`")),
            }
        }
        let holds_secret = |profile: &Profile| profile.password.is_some() || profile.client_secret.is_some();
        if self.accessible_to_others && profiles.values().any(holds_secret) {
            let path = self.path.display();
            return Err(Error::config(format!(
                "{path} contains a password or client secret and is accessible to other users; run: chmod 600 {path}"
            )));
        }
        Ok((default, profiles))
    }

    fn parse_profile(&self, entry: TomlEntry<'_>) -> Result<Profile> {
        let DeValue::Table(table) = entry.1.get_ref() else {
            return Err(self.key_error(entry, "must be a table; start a profile with `[profiles.NAME]`"));
        };
        let mut profile = Profile { name: entry.0.get_ref().to_string(), ..Profile::default() };
        for setting in table {
            let text = || self.string(setting);
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
                _ => return Err(self.key_error(setting, &format!("is not supported; use {KEYS}"))),
            }
        }
        if profile.username.is_some() != profile.password.is_some() {
            return Err(self.key_error(entry, "has only one of `username` and `password`; set both or neither"));
        }
        if profile.client_secret.is_some() && profile.client_id.is_none() {
            return Err(self.key_error(entry, "has a `client_secret` but no `client_id`; set both or neither"));
        }
        Ok(profile)
    }

    fn string(&self, entry: TomlEntry<'_>) -> Result<String> {
        match entry.1.get_ref() {
            DeValue::String(text) if !text.trim().is_empty() => Ok(text.to_string()),
            DeValue::String(_) => Err(self.key_error(entry, "is empty; set a value or remove the key")),
            _ => Err(self.key_error(entry, "must be a string; write it in quotes")),
        }
    }

    fn scopes(&self, entry: TomlEntry<'_>) -> Result<Vec<String>> {
        let invalid = || self.key_error(entry, "must be a list of scopes such as [\"openid\", \"offline_access\"]");
        // RFC 6749 section 3.3: scopes are separated by spaces.
        let scope = |value: &Spanned<DeValue<'_>>| {
            let text = value.get_ref().as_str().filter(|text| !text.is_empty() && !text.contains(char::is_whitespace));
            text.map(str::to_owned).ok_or_else(invalid)
        };
        entry.1.get_ref().as_array().ok_or_else(invalid)?.iter().map(scope).collect()
    }

    fn store(&self, entry: TomlEntry<'_>) -> Result<String> {
        let store = self.string(entry)?;
        if ["file", "keyring"].contains(&store.as_str()) || Path::new(&store).is_absolute() {
            return Ok(store);
        }
        Err(self.key_error(entry, "must be \"file\", \"keyring\", or the absolute path of a file"))
    }

    fn key_error(&self, (key, _): TomlEntry<'_>, problem: &str) -> Error {
        let name: String = text::one_line(key.get_ref()).chars().take(MAX_KEY_SHOWN).collect();
        self.error_at(&key.span(), &format!("`{name}` {problem}"))
    }

    fn error_at(&self, span: &Range<usize>, problem: &str) -> Error {
        let before = self.text.get(..span.start).unwrap_or(&self.text);
        let line = before.bytes().filter(|byte| *byte == b'\n').count() + 1;
        Error::config(format!("{}, line {line}: {problem}", self.path.display()))
    }
}

#[cfg(unix)]
fn accessible_to_others(metadata: &std::fs::Metadata) -> bool {
    use std::os::unix::fs::PermissionsExt;
    metadata.permissions().mode() & 0o077 != 0
}

/// On other systems the home directory is not accessible to other users.
#[cfg(not(unix))]
fn accessible_to_others(_: &std::fs::Metadata) -> bool {
    false
}
