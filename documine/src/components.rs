//! `4. Components`: the named values that were extracted.

use std::ops::Deref;
use std::sync::Arc;

use futures_util::stream::{Stream, StreamExt};
use http::header;
use serde::de::DeserializeOwned;

use crate::call::Call;
use crate::client::Prepared;
use crate::dossiers::{DossierHandle, DossierPath};
use crate::error::{Error, ErrorKind, Result};
use crate::files::{FileHandle, FilePath};
use crate::page::List;
use crate::transport::classify::{Evidence, classify};
use crate::{FileComponents, FileId, extract};

/// Whose components are read, and how much of them.
#[derive(Debug, Clone)]
pub struct Export<P> {
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

/// The components of one file. All fields of the model are there by `Deref`.
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
    /// All values of the component `name`, in the document's order; none when the file has no such component.
    pub fn values(&self, name: &str) -> &[String] {
        self.0.components.get(name).map_or(&[], Vec::as_slice)
    }

    /// The components as a type of the caller's own: see [`extract`](mod@crate::extract).
    ///
    /// # Errors
    /// [`ErrorKind::Extract`], naming file, component, field and the offending value; its [`detail`](Error::detail) is an [`extract::ExtractError`].
    pub fn extract<T: DeserializeOwned>(&self) -> Result<T> {
        let listed = self.0.components.iter().map(|(name, values)| (name.as_str(), values.as_slice()));
        extract::NamedValues::new(listed)
            .of_file(self.0.file_name.as_deref(), Some(self.0.file_id.as_str()))
            .extract()
            .map_err(|error| Error::new(ErrorKind::Extract, error.to_string()).with_detail(error))
    }

    /// The model itself, for example to save it; what was saved loads as the same type.
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
    /// The file's components (`getComponents`).
    pub fn components(&self) -> Call<Export<FilePath>, Components> {
        Call::new(&self.client, Export::new(&self.path), |client, export, options| {
            Box::pin(async move {
                let call = client.prepare(options);
                let mut request = call
                    .raw
                    .get_components()
                    .dossier_template_id(export.path.dossier.template)
                    .dossier_id(export.path.dossier.dossier)
                    .file_id(export.path.file);
                if let Some(yes) = export.include_details {
                    request = request.include_details(yes);
                }
                let model: FileComponents = call.finish(request.send().await).await?;
                Ok(model.into())
            })
        })
    }

    /// The file's components as XML, as the service writes it (`getComponents` with `Accept: application/xml`).
    pub fn components_xml(&self) -> Call<Export<FilePath>, String> {
        Call::new(&self.client, Export::new(&self.path), |client, export, options| {
            Box::pin(async move {
                let call = client.prepare(options);
                let mut request = call
                    .raw
                    .get_components_xml()
                    .dossier_template_id(export.path.dossier.template)
                    .dossier_id(export.path.dossier.dossier)
                    .file_id(export.path.file);
                if let Some(yes) = export.include_details {
                    request = request.include_details(yes);
                }
                let body = request.send().await.map_err(|error| call.error(error))?;
                xml(&call, body.into_inner()).await
            })
        })
    }
}

impl DossierHandle {
    /// The components of all files of the dossier (`getDossierComponents`; its path is inferred).
    pub fn components(&self) -> List<Export<DossierPath>, Components> {
        List::new(&self.client, Export::new(&self.path), |client, export, options| {
            Box::pin(async move {
                let call = client.prepare(options);
                let mut request = call
                    .raw
                    .get_dossier_components()
                    .dossier_template_id(export.path.template)
                    .dossier_id(export.path.dossier);
                if let Some(yes) = export.include_details {
                    request = request.include_details(yes);
                }
                let list = call.finish(request.send().await).await?;
                call.page(list.files.into_iter().map(Components::from).collect(), &list.extra)
            })
        })
    }

    /// The components of all files of the dossier as XML (`getDossierComponents` with `Accept: application/xml`).
    pub fn components_xml(&self) -> Call<Export<DossierPath>, String> {
        Call::new(&self.client, Export::new(&self.path), |client, export, options| {
            Box::pin(async move {
                let call = client.prepare(options);
                let mut request = call
                    .raw
                    .get_dossier_components_xml()
                    .dossier_template_id(export.path.template)
                    .dossier_id(export.path.dossier);
                if let Some(yes) = export.include_details {
                    request = request.include_details(yes);
                }
                let body = request.send().await.map_err(|error| call.error(error))?;
                xml(&call, body.into_inner()).await
            })
        })
    }
}

impl<P, T> Call<Export<P>, T> {
    /// With the details: where in the document each value was found, and by which rule. Default: without.
    pub fn include_details(mut self, yes: bool) -> Self {
        self.params.include_details = Some(yes);
        self
    }
}

impl List<Export<DossierPath>, Components> {
    /// With the details: where in the documents each value was found, and by which rule. Default: without.
    pub fn include_details(mut self, yes: bool) -> Self {
        self.0.params.include_details = Some(yes);
        self
    }

    /// Each file with its components as a type of the caller's own. A file whose components do not fit is an error of that item alone;
    /// the stream goes on behind it.
    pub fn extract<T: DeserializeOwned + Send + 'static>(
        self,
    ) -> impl Stream<Item = Result<(FileId, T)>> + Send + 'static {
        self.stream().map(|components| {
            let components = components?;
            Ok((components.file_id.clone(), components.extract()?))
        })
    }
}

/// The XML of an answer, which is checked to be XML: a service may not know the form and answer JSON all the same.
async fn xml(call: &Prepared, body: documine_api::ByteStream) -> Result<String> {
    let facts = call.facts();
    let status = facts.status.unwrap_or_default();
    let unexpected = |body: &[u8], why: &str| {
        classify(Evidence::Misfit { status, headers: &facts.headers, body, why }).with_operation(facts.operation)
    };
    let mut whole = Vec::new();
    let mut pieces = body.into_inner();
    while let Some(piece) = pieces.next().await {
        whole.extend_from_slice(
            &piece.map_err(|error| classify(Evidence::NoAnswer(&error)).with_operation(facts.operation))?,
        );
    }
    let media_type = facts.headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if !media_type.to_ascii_lowercase().contains("xml") {
        return Err(unexpected(&whole, &format!("the answer is {media_type:?}, not XML")));
    }
    String::from_utf8(whole).map_err(|error| unexpected(error.as_bytes(), "the XML is not UTF-8"))
}
