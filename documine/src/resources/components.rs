//! `4. Components`: the named values that the service extracted from files.

use std::sync::Arc;

use futures_util::stream::{Stream, StreamExt};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize, Serializer};

use crate::client::named_call;
use crate::error::{Error, ErrorKind, Result};
use crate::extract::{Component, ComponentSource, ExtractReport, NamedValues, components_of, details_of};
use crate::list::{ListRequest, named_list};
use crate::models::{DossierId, DossierTemplateId, FileComponents, FileId};
use crate::resources::dossiers::{DossierHandle, DossierPath};
use crate::resources::files::{FileHandle, FilePath};
use crate::transport::RawResponse;
use crate::transport::classify::{ResponseFailure, classify, media_type};

/// The fields of a request for components.
#[derive(Debug, Clone)]
pub(crate) struct Export<P> {
    path: P,
    include_details: Option<bool>,
}

impl<P> Export<P> {
    fn new(path: &P) -> Self
    where
        P: Clone,
    {
        Self { path: path.clone(), include_details: None }
    }
}

/// The components of one file, in the order of the template. Cheap to clone.
///
/// A value and its details (page, rule, description) are read together, from [`iter`](Self::iter) and [`get`](Self::get), or as a field of type
/// [`Sourced`](crate::extract::Sourced). The service includes the details on request: `file.components().include_details(true)`.
///
/// Serializes like the model [`FileComponents`] and deserializes from that form, so a saved export is read like a response.
///
/// ```
/// # async fn f(file: documine::FileHandle) -> documine::Result<()> {
/// use documine::extract::{Money, Sourced};
///
/// #[derive(serde::Deserialize)]
/// struct Invoice {
///     #[serde(rename = "Invoice_Number")]
///     number: String,
///     #[serde(rename = "Total_Amount")]
///     total: Option<Sourced<Money>>,
/// }
/// let components = file.components().include_details(true).await?;
/// for component in components.iter() {
///     for value in component.iter() {
///         println!("{}: {} (page {:?})", component.name(), value.raw(), value.page());
///     }
/// }
/// let invoice: Invoice = components.extract()?;
/// # Ok(()) }
/// ```
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(from = "FileComponents")]
pub struct Components(Arc<FileComponents>);

impl Components {
    /// Returns the id of the file.
    pub fn file_id(&self) -> &FileId {
        &self.0.file_id
    }

    /// Returns the name of the file.
    pub fn file_name(&self) -> Option<&str> {
        self.0.file_name.as_deref()
    }

    /// Returns the id of the dossier.
    pub fn dossier_id(&self) -> Option<&DossierId> {
        self.0.dossier_id.as_ref()
    }

    /// Returns the id of the dossier template.
    pub fn dossier_template_id(&self) -> Option<&DossierTemplateId> {
        self.0.dossier_template_id.as_ref()
    }

    /// Returns the names of the components, also of those without a value.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.components.keys().map(String::as_str)
    }

    /// Returns the values of the component `name` in the document's order; an empty slice if the file has no such component.
    pub fn values(&self, name: &str) -> &[String] {
        self.0.components.get(name).map_or(&[], Vec::as_slice)
    }

    /// Returns the component `name` with its details.
    pub fn get(&self, name: &str) -> Option<Component<'_>> {
        let (name, values) = self.0.components.get_key_value(name)?;
        Some(Component::new(name, values, details_of(&self.0, name)))
    }

    /// Returns the components with their details, also those without a value.
    pub fn iter(&self) -> impl Iterator<Item = Component<'_>> {
        components_of(&self.0)
    }

    /// Returns the number of components, including those without a value.
    pub fn len(&self) -> usize {
        self.0.components.len()
    }

    /// Returns whether no component is listed.
    pub fn is_empty(&self) -> bool {
        self.0.components.is_empty()
    }

    /// Extracts the components into a type of the caller; see [`extract`](mod@crate::extract).
    ///
    /// # Errors
    /// [`ErrorKind::Extract`] names the file, component, field and invalid value; its [`detail`](Error::detail) is an
    /// [`ExtractError`](crate::extract::ExtractError).
    pub fn extract<T: DeserializeOwned>(&self) -> Result<T> {
        NamedValues::from(self.as_model())
            .extract()
            .map_err(|error| Error::new(ErrorKind::Extract, error.to_string()).with_detail(error))
    }

    /// Compares the components with a type and returns every problem, where [`extract`](Self::extract) returns the first.
    ///
    /// ```
    /// #[derive(serde::Deserialize)]
    /// # #[allow(dead_code)]
    /// struct Invoice { number: String, total: f64, date: Option<String> }
    ///
    /// # let saved = r#"{"fileId": "f-1", "fileName": "a.pdf", "components": {"total": ["ten"], "VAT": ["1"]}}"#;
    /// let components: documine::Components = serde_json::from_str(saved)?;
    /// let report = components.check::<Invoice>();
    /// assert_eq!((report.missing().len(), report.unparsable().len(), report.extra()), (1, 1, &["VAT".to_owned()][..]));
    /// println!("{report}");
    /// # Ok::<(), serde_json::Error>(())
    /// ```
    #[must_use = "the report says whether the type can be read"]
    pub fn check<T: DeserializeOwned>(&self) -> ExtractReport {
        NamedValues::from(self.as_model()).check::<T>()
    }

    /// Returns the model.
    pub fn as_model(&self) -> &FileComponents {
        &self.0
    }

    /// Returns the model; copies it if a clone of these components exists.
    pub fn into_model(self) -> FileComponents {
        Arc::unwrap_or_clone(self.0)
    }
}

impl From<FileComponents> for Components {
    fn from(model: FileComponents) -> Self {
        Self(Arc::new(model))
    }
}

impl Serialize for Components {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}

impl From<Components> for FileComponents {
    fn from(components: Components) -> Self {
        components.into_model()
    }
}

impl ComponentSource for Components {
    fn files(&self) -> Vec<NamedValues<'_>> {
        self.as_model().files()
    }
}

#[cfg(feature = "schemars")]
impl crate::extract::ComponentNames for Components {
    fn component_names(&self) -> Vec<&str> {
        self.names().collect()
    }
}

impl FileHandle {
    /// Fetches the file's components (`getComponents`).
    pub fn components(&self) -> GetComponents {
        GetComponents::new(&self.client, Export::new(&self.path), |client, export, options| {
            Box::pin(async move {
                let mut request = client
                    .requests()
                    .get_components()
                    .dossier_template_id(export.path.dossier.template)
                    .dossier_id(export.path.dossier.dossier)
                    .file_id(export.path.file);
                if let Some(yes) = export.include_details {
                    request = request.include_details(yes);
                }
                let model: FileComponents = client.fetch(request.prepare(), &options).await?;
                Ok(model.into())
            })
        })
    }

    /// Fetches the file's components as the service's XML (`getComponents` with `Accept: application/xml`).
    pub fn components_xml(&self) -> GetComponentsXml {
        GetComponentsXml::new(&self.client, Export::new(&self.path), |client, export, options| {
            Box::pin(async move {
                let mut request = client
                    .requests()
                    .get_components_xml()
                    .dossier_template_id(export.path.dossier.template)
                    .dossier_id(export.path.dossier.dossier)
                    .file_id(export.path.file);
                if let Some(yes) = export.include_details {
                    request = request.include_details(yes);
                }
                xml(client.send(request.prepare(), &options).await?).await
            })
        })
    }
}

impl DossierHandle {
    /// Lists the components of the processed files of the dossier, one item per file (`getDossierComponents`; its path is inferred).
    ///
    /// Files that are pending, failed or deleted are left out without an error, as the simulator does (inferred).
    /// [`wait_until_processed`](DossierHandle::wait_until_processed) makes sure that no file is pending and reports failed files;
    /// [`files`](DossierHandle::files) lists all files.
    pub fn components(&self) -> ListDossierComponents {
        ListDossierComponents::new(&self.client, Export::new(&self.path), |client, export, _| {
            Box::pin(async move {
                let mut request = client
                    .requests()
                    .get_dossier_components()
                    .dossier_template_id(export.path.template)
                    .dossier_id(export.path.dossier);
                if let Some(yes) = export.include_details {
                    request = request.include_details(yes);
                }
                ListRequest::new(request.prepare(), |list| (list.files, list.extra))
            })
        })
    }

    /// Fetches the components of the processed files of the dossier as XML (`getDossierComponents` with `Accept: application/xml`). Other files are
    /// left out, as by [`components`](Self::components).
    pub fn components_xml(&self) -> GetDossierComponentsXml {
        GetDossierComponentsXml::new(&self.client, Export::new(&self.path), |client, export, options| {
            Box::pin(async move {
                let mut request = client
                    .requests()
                    .get_dossier_components_xml()
                    .dossier_template_id(export.path.template)
                    .dossier_id(export.path.dossier);
                if let Some(yes) = export.include_details {
                    request = request.include_details(yes);
                }
                xml(client.send(request.prepare(), &options).await?).await
            })
        })
    }
}

named_call! {
    /// Fetches the components of a file (`getComponents`). Created by [`FileHandle::components`].
    ///
    /// ```
    /// # async fn f(file: documine::FileHandle) -> documine::Result<()> {
    /// let components = file.components().await?;
    /// println!("{:?}", components.values("Invoice_Number"));
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// [`is_not_found`](crate::Error::is_not_found) if there is no such file. Before the analysis, the service has no components: wait with
    /// [`wait_until_processed`](FileHandle::wait_until_processed).
    GetComponents(Export<FilePath>) -> Components
}

named_call! {
    /// Fetches the components of a file as the service's XML. Created by [`FileHandle::components_xml`].
    ///
    /// ```
    /// # async fn f(file: documine::FileHandle) -> documine::Result<()> {
    /// std::fs::write("components.xml", file.components_xml().await?).ok();
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::Decode`](crate::ErrorKind::Decode) if the response is not XML.
    GetComponentsXml(Export<FilePath>) -> String
}

named_list! {
    /// Lists the components of the processed files of a dossier (`getDossierComponents`; its path is inferred). Created by
    /// [`DossierHandle::components`].
    ///
    /// ```
    /// # async fn f(dossier: documine::DossierHandle) -> documine::Result<()> {
    /// for components in dossier.components().await? {
    ///     println!("{:?}", components.values("Invoice_Number"));
    /// }
    /// # Ok(()) }
    /// ```
    ListDossierComponents(Export<DossierPath>) -> Components
}

named_call! {
    /// Fetches the components of the processed files of a dossier as XML. Created by [`DossierHandle::components_xml`].
    ///
    /// ```
    /// # async fn f(dossier: documine::DossierHandle) -> documine::Result<()> {
    /// std::fs::write("components.xml", dossier.components_xml().await?).ok();
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::Decode`](crate::ErrorKind::Decode) if the response is not XML.
    GetDossierComponentsXml(Export<DossierPath>) -> String
}

/// Adds the option to request details to a builder.
macro_rules! include_details {
    ($($name:ident: $($field:ident).+),+) => {$(
        impl $name {
            /// Sets whether the page of each value, the rule that created it and its description are included. Default: `false`.
            pub fn include_details(mut self, yes: bool) -> Self {
                self.$($field).+.include_details = Some(yes);
                self
            }
        }
    )+};
}
include_details!(
    GetComponents: call.params,
    GetComponentsXml: call.params,
    GetDossierComponentsXml: call.params,
    ListDossierComponents: list.call.params
);

impl ListDossierComponents {
    /// Extracts the components of each file into a type of the caller.
    ///
    /// A file whose components do not fit is an error of its own item; the stream continues.
    pub fn extract<T: DeserializeOwned + Send + 'static>(
        self,
    ) -> impl Stream<Item = Result<(FileId, T)>> + Unpin + Send + 'static {
        self.stream().map(|components| {
            let components = components?;
            Ok((components.file_id().clone(), components.extract()?))
        })
    }
}

/// Returns the XML of a response. Checks the media type, because a service without XML support may return JSON.
async fn xml(response: RawResponse) -> Result<String> {
    let (body, meta) = response.into_bytes().await?;
    let (status, headers) = (meta.status, &meta.headers);
    let unexpected = |body: &[u8], why: &str| {
        meta.annotate(classify(ResponseFailure::UnexpectedBody { status, headers, body, why }))
    };
    let media_type = media_type(headers).unwrap_or_default();
    if !media_type.to_ascii_lowercase().contains("xml") {
        return Err(unexpected(&body, &format!("the media type is {media_type:?}, not XML")));
    }
    String::from_utf8(body.into()).map_err(|error| unexpected(error.as_bytes(), "the XML is not UTF-8"))
}
