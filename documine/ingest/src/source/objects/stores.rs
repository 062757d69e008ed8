//! Object stores by URL.

use std::collections::HashMap;
use std::fmt;
use std::io;
use std::path::Path as FilePath;
use std::sync::{Arc, Mutex, PoisonError};

use futures_util::stream::{self, BoxStream};
use futures_util::{StreamExt, TryStreamExt};
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt, ObjectStoreScheme, WriteMultipart};
use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};
use tokio::io::AsyncReadExt;
use url::Url;

use super::super::content::Content;
use crate::error::{Error, Result};

/// Size of the parts of an upload. Smaller files are uploaded in one request.
const PART_SIZE: usize = 8 * 1024 * 1024;
/// Most parts of an upload at S3.
const MAX_PARTS: u64 = 10_000;
/// Parts of one upload that are sent at the same time.
const CONCURRENT_PARTS: usize = 4;
/// Longest cause in an error text, in characters.
const MAX_CAUSE_CHARS: usize = 300;

/// Characters with a meaning in a URL, and those that a URL parser removes. Others stay readable.
const RESERVED: &AsciiSet = &CONTROLS.add(b'%').add(b'#').add(b'?').add(b'\\');

/// Returns the path of an object as a part of its URL.
pub(super) fn encode(path: &str) -> String {
    let encoded = utf8_percent_encode(path, RESERVED).to_string();
    // A URL parser removes a space at the end.
    match encoded.strip_suffix(' ') {
        Some(start) => format!("{start}%20"),
        None => encoded,
    }
}

/// Object stores by URL, with the options that their connections have in common. Clones share the connections.
///
/// Options come from the environment, in the notation of the [object_store] crate: `AWS_…`, `AZURE_…`, `GOOGLE_…`. Options of the program take
/// precedence. TLS uses the certificate store of the platform. The option `timeout` limits the time without any progress.
///
/// [object_store]: https://docs.rs/object_store/latest/object_store/
///
/// ```
/// use documine_ingest::source::{ObjectStores, Objects};
/// let stores = ObjectStores::from_env().option("aws_region", "eu-central-1");
/// let documents = Objects::new("s3://inbox").stores(stores);
/// ```
#[derive(Clone, Default)]
pub struct ObjectStores {
    options: Vec<(String, String)>,
    stores: Arc<Mutex<HashMap<String, Arc<dyn ObjectStore>>>>,
}

impl fmt::Debug for ObjectStores {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Values can be secrets.
        let names: Vec<_> = self.options.iter().map(|(name, _)| name).collect();
        f.debug_struct("ObjectStores").field("options", &names).finish_non_exhaustive()
    }
}

impl ObjectStores {
    /// Creates stores with the options of the environment.
    pub fn from_env() -> Self {
        Self::default()
    }

    /// Sets an option, for example `aws_region` or `azure_storage_account_name`. An option that a store does not know is an error when it is opened.
    #[must_use]
    pub fn option(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.options.push((name.into(), value.into()));
        // Connections with other options are not shared.
        self.stores = Arc::default();
        self
    }

    /// Checks that the store of a URL can be opened: its address, its options, and the features of this build. Sends no request.
    pub fn check(&self, url: &str) -> Result<()> {
        self.resolve(url).map(|_| ())
    }

    /// Uploads a file. An existing object is replaced. The object appears whole; large files are uploaded in parts of 8 MiB, four at a time.
    pub async fn upload_file(&self, url: &str, path: impl AsRef<FilePath>) -> Result<()> {
        let (store, target) = self.resolve(url)?;
        let path = path.as_ref();
        let unreadable = |error: io::Error| {
            Error::sink(format!("{url}: cannot be uploaded: {} cannot be read: {error}", path.display()))
                .with_source(error)
        };
        let failed = |error: object_store::Error| {
            Error::sink(format!("{url}: cannot be written: {}; check the URL and the credentials", cause(&error).1))
                .with_source(error)
        };
        let mut file = tokio::fs::File::open(path).await.map_err(unreadable)?;
        let size = file.metadata().await.map_err(unreadable)?.len();
        if size <= PART_SIZE as u64 {
            let mut bytes = Vec::new();
            file.read_to_end(&mut bytes).await.map_err(unreadable)?;
            return store.put(&target, bytes.into()).await.map(|_| ()).map_err(failed);
        }
        let part_size = usize::try_from(size.div_ceil(MAX_PARTS)).unwrap_or(PART_SIZE).max(PART_SIZE);
        let upload = store.put_multipart(&target).await.map_err(failed)?;
        let mut upload = WriteMultipart::new_with_chunk_size(upload, part_size);
        let mut buffer = vec![0; PART_SIZE / 8];
        loop {
            let sent = match file.read(&mut buffer).await {
                Ok(0) => break,
                Ok(read) => {
                    upload.write(buffer.get(..read).unwrap_or_default());
                    upload.wait_for_capacity(CONCURRENT_PARTS).await.map_err(failed)
                }
                Err(error) => Err(unreadable(error)),
            };
            if let Err(error) = sent {
                // Parts that remain would be paid for. The first error is the one that matters.
                let _ = upload.abort().await;
                return Err(error);
            }
        }
        upload.finish().await.map(|_| ()).map_err(failed)
    }

    /// Returns the content at a URL. An invalid URL fails when it is read.
    pub(super) fn content(&self, url: &str) -> Content {
        content_of(self.resolve(url))
    }

    /// Returns the store of a URL, and the path in it.
    pub(super) fn resolve(&self, url: &str) -> Result<(Arc<dyn ObjectStore>, Path)> {
        let invalid = |what: &str| {
            // A URL with credentials is not shown.
            let shown = url.split(['?', '#']).next().unwrap_or_default();
            let shown = if shown.contains('@') { shown.split("://").next().unwrap_or_default() } else { shown };
            Error::input(format!("{shown}: {what}; use a form like s3://bucket/folder"))
        };
        let parsed = Url::parse(url).map_err(|error| invalid(&format!("not a URL: {error}")))?;
        let is_web = matches!(parsed.scheme(), "http" | "https");
        if parsed.password().is_some() || (is_web && !parsed.username().is_empty()) {
            return Err(invalid("credentials in a URL would appear in tables"));
        }
        if parsed.query().is_some() || parsed.fragment().is_some() {
            return Err(invalid("a URL with a query or a fragment is not supported"));
        }
        let (scheme, path) = ObjectStoreScheme::parse(&parsed).map_err(|error| invalid(&one_line(&error)))?;
        let mut stores = self.stores.lock().unwrap_or_else(PoisonError::into_inner);
        let key = store_key(&parsed, &scheme);
        if let Some(store) = stores.get(&key) {
            return Ok((Arc::clone(store), path));
        }
        let store = open(&parsed, &scheme, &self.options)?;
        stores.insert(key, Arc::clone(&store));
        Ok((store, path))
    }
}

/// Returns the part of a URL that identifies its store.
fn store_key(url: &Url, scheme: &ObjectStoreScheme) -> String {
    let authority = &url[..url::Position::BeforePath];
    let is_in_path = url.scheme() == "https" && *scheme != ObjectStoreScheme::Http;
    let bucket = is_in_path.then(|| url.path_segments().and_then(|mut segments| segments.next())).flatten();
    format!("{authority}/{}", bucket.unwrap_or_default())
}

/// Applies the options and the connector to the builder of a store.
#[cfg(feature = "_http-client")]
macro_rules! remote {
    ($builder:expr, $key:ty, $url:expr, $options:expr) => {{
        let mut builder = $builder.with_http_connector(super::connector::Connector);
        for (name, value) in $options {
            let key: $key = name.to_ascii_lowercase().parse().map_err(|_| {
                Error::input(format!("{}: unknown option {name:?} of the object store; check its name", $url))
            })?;
            builder = builder.with_config(key, value);
        }
        builder.build().map(|store| Arc::new(store) as Arc<dyn ObjectStore>)
    }};
}

/// Opens the store of a URL.
fn open(url: &Url, scheme: &ObjectStoreScheme, options: &[(String, String)]) -> Result<Arc<dyn ObjectStore>> {
    // Without features for remote stores, nothing has options.
    let _ = options;
    let opened: object_store::Result<Arc<dyn ObjectStore>> = match scheme {
        ObjectStoreScheme::Local => Ok(Arc::new(object_store::local::LocalFileSystem::new().with_fsync(true))),
        ObjectStoreScheme::Memory => Ok(Arc::new(object_store::memory::InMemory::new())),
        #[cfg(feature = "aws")]
        ObjectStoreScheme::AmazonS3 => {
            let builder = object_store::aws::AmazonS3Builder::from_env().with_url(url.as_str());
            remote!(builder, object_store::aws::AmazonS3ConfigKey, url, options)
        }
        #[cfg(feature = "gcp")]
        ObjectStoreScheme::GoogleCloudStorage => {
            let builder = object_store::gcp::GoogleCloudStorageBuilder::from_env().with_url(url.as_str());
            remote!(builder, object_store::gcp::GoogleConfigKey, url, options)
        }
        #[cfg(feature = "azure")]
        ObjectStoreScheme::MicrosoftAzure => {
            let builder = object_store::azure::MicrosoftAzureBuilder::from_env().with_url(url.as_str());
            remote!(builder, object_store::azure::AzureConfigKey, url, options)
        }
        #[cfg(feature = "http")]
        ObjectStoreScheme::Http => {
            let client = object_store::ClientOptions::new().with_allow_http(url.scheme() == "http");
            let builder = object_store::http::HttpBuilder::new()
                .with_url(&url[..url::Position::BeforePath])
                .with_client_options(client);
            remote!(builder, object_store::ClientConfigKey, url, options)
        }
        other => {
            let feature = match other {
                ObjectStoreScheme::AmazonS3 => "aws",
                ObjectStoreScheme::GoogleCloudStorage => "gcp",
                ObjectStoreScheme::MicrosoftAzure => "azure",
                _ => "http",
            };
            return Err(Error::input(format!(
                "{}: this program is built without this kind of object store; enable the feature `{feature}` of documine-ingest",
                url.scheme()
            )));
        }
    };
    opened.map_err(|error| {
        Error::input(format!("{url}: the object store cannot be opened: {}; check the options", one_line(&error)))
            .with_source(error)
    })
}

/// Returns the content of an object.
pub(super) fn content_of(place: Result<(Arc<dyn ObjectStore>, Path)>) -> Content {
    let place = place.map_err(|error| error.to_string());
    Content::Stream(Arc::new(move || read(place.clone())), None)
}

/// Reads an object. A broken connection is resumed at the next byte.
fn read(place: Result<(Arc<dyn ObjectStore>, Path), String>) -> BoxStream<'static, io::Result<bytes::Bytes>> {
    let start = async move {
        let (store, path) = place.map_err(|error| io::Error::new(io::ErrorKind::InvalidInput, error))?;
        let object = store.get(&path).await.map_err(|error| io_error(&error))?;
        Ok::<_, io::Error>(object.into_stream().map_err(|error| io_error(&error)))
    };
    stream::once(start).try_flatten().boxed()
}

fn io_error(error: &object_store::Error) -> io::Error {
    let (kind, cause) = cause(error);
    io::Error::new(kind, cause)
}

/// Returns the kind of an error, and the cause in one line. Frequent causes do not name the object, so that equal causes are equal texts.
pub(super) fn cause(error: &object_store::Error) -> (io::ErrorKind, String) {
    match error {
        object_store::Error::NotFound { .. } => (io::ErrorKind::NotFound, "object not found".into()),
        object_store::Error::PermissionDenied { .. } => (io::ErrorKind::PermissionDenied, "access denied".into()),
        object_store::Error::Unauthenticated { .. } => {
            (io::ErrorKind::PermissionDenied, "the credentials are missing or not accepted".into())
        }
        error => (io::ErrorKind::Other, one_line(error)),
    }
}

fn one_line(error: &impl fmt::Display) -> String {
    let text = error.to_string().split_whitespace().collect::<Vec<_>>().join(" ");
    match text.char_indices().nth(MAX_CAUSE_CHARS) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text,
    }
}
