//! `4. Components`: the named values that the service extracted from files.

use std::ops::Deref;
use std::sync::Arc;

use futures_util::stream::{Stream, StreamExt};
use serde::de::DeserializeOwned;

use crate::client::named_call;
use crate::error::{Error, ErrorKind, Result};
use crate::extract;
use crate::list::{ListRequest, named_list};
use crate::models::{FileComponents, FileId};
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

/// The components of one file. Dereferences to the model.
///
/// ```
/// # async fn f(file: documine::FileHandle) -> documine::Result<()> {
/// #[derive(serde::Deserialize)]
/// struct Invoice {
///     #[serde(rename = "Invoice_Number")]
///     number: String,
///     #[serde(rename = "Total_Amount")]
///     total: Option<f64>,
/// }
/// let components = file.components().await?;
/// println!("{:?}", components.values("Invoice_Number"));
/// let invoice: Invoice = components.extract()?;
/// # Ok(()) }
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Components(Arc<FileComponents>);

impl Components {
    /// Returns the values of the component `name` in the document's order; an empty slice if the file has no such component.
    pub fn values(&self, name: &str) -> &[String] {
        self.0.components.get(name).map_or(&[], Vec::as_slice)
    }

    /// Extracts the components into a type of the caller; see [`extract`](mod@crate::extract).
    ///
    /// # Errors
    /// [`ErrorKind::Extract`] names the file, component, field and invalid value; its [`detail`](Error::detail) is an [`extract::ExtractError`].
    pub fn extract<T: DeserializeOwned>(&self) -> Result<T> {
        let listed = self.0.components.iter().map(|(name, values)| (name.as_str(), values.as_slice()));
        extract::NamedValues::new(listed)
            .of_file(self.0.file_name.as_deref(), Some(self.0.file_id.as_str()))
            .extract()
            .map_err(|error| Error::new(ErrorKind::Extract, error.to_string()).with_detail(error))
    }

    /// Returns the model, for example to serialize it. The serialized form deserializes as the same type.
    pub fn as_model(&self) -> &FileComponents {
        &self.0
    }
}

impl From<FileComponents> for Components {
    fn from(model: FileComponents) -> Self {
        Self(Arc::new(model))
    }
}

impl Deref for Components {
    type Target = FileComponents;

    fn deref(&self) -> &FileComponents {
        &self.0
    }
}

#[cfg(feature = "schemars")]
impl extract::ComponentNames for Components {
    fn component_names(&self) -> Vec<&str> {
        self.0.components.keys().map(String::as_str).collect()
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
    /// Lists the components of all files of the dossier (`getDossierComponents`; its path is inferred).
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

    /// Fetches the components of all files of the dossier as XML (`getDossierComponents` with `Accept: application/xml`).
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
    /// Lists the components of all files of a dossier (`getDossierComponents`; its path is inferred). Created by
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
    /// Fetches the components of all files of a dossier as XML. Created by [`DossierHandle::components_xml`].
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
            /// Sets whether the position of each value in its document and the rule that found it are included. Default: `false`.
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
            Ok((components.file_id.clone(), components.extract()?))
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
