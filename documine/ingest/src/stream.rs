//! Typed values of a run as they come.

use std::marker::PhantomData;
use std::pin::Pin;
use std::task::{Context, Poll};

use documine::BoxFuture;
use futures_util::FutureExt;
use futures_util::stream::Stream;
use serde::de::DeserializeOwned;
use tokio::sync::{mpsc, oneshot};

use crate::document::DocumentRecord;
use crate::error::{Error, ErrorKind, Result};
use crate::ingest::Ingest;
use crate::report_of_run::RunReport;
use crate::step::{BoxError, DocumentSink};

/// A document and its values as a type of the program.
#[derive(Debug)]
#[non_exhaustive]
pub struct TypedDocument<T> {
    /// The document.
    pub document: DocumentRecord,
    /// The values. An error names the component and the value that do not fit; the document stays recorded.
    pub values: documine::Result<T>,
}

/// The documents of a run with their values; see [`Ingest::stream`].
#[derive(Debug)]
pub struct TypedDocuments<T> {
    documents: mpsc::Receiver<(DocumentRecord, oneshot::Sender<()>)>,
    /// Completed when the next document is requested: until then, the document counts as not delivered.
    last: Option<oneshot::Sender<()>>,
    run: Option<tokio::task::JoinHandle<Result<RunReport>>>,
    report: Option<RunReport>,
    values: PhantomData<fn() -> T>,
}

/// Hands documents to the stream, one at a time.
struct StreamSink(mpsc::Sender<(DocumentRecord, oneshot::Sender<()>)>);

impl DocumentSink for StreamSink {
    fn deliver<'a>(&'a self, _key: &'a str, document: &'a DocumentRecord) -> BoxFuture<'a, Result<(), BoxError>> {
        Box::pin(async move {
            let (done, is_done) = oneshot::channel();
            let dropped = || BoxError::from("the stream of documents was dropped");
            self.0.send((document.clone(), done)).await.map_err(|_| dropped())?;
            is_done.await.map_err(|_| dropped())
        })
    }
}

impl Ingest {
    /// Starts the run in a task and returns the documents with their values as a type of the program, as they come.
    ///
    /// Documents of earlier runs are not repeated. A document counts as delivered when the next one is requested: after a crash, the last document
    /// comes again. The run waits for the stream, so memory is bounded. Dropping the stream ends the run like [`stop_on`](Self::stop_on).
    ///
    /// ```
    /// # use documine_ingest::{Ingest, source::Folder};
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use futures_util::StreamExt;
    ///
    /// #[derive(serde::Deserialize)]
    /// struct Invoice {
    ///     #[serde(rename = "InvoiceNumber")]
    ///     number: Option<String>,
    /// }
    ///
    /// let service = documine_sim::connect().await?;
    /// let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../examples/samples");
    /// let mut documents = Ingest::new(&service.client, service.template()).source(Folder::new(folder)).stream::<Invoice>();
    /// while let Some(document) = documents.next().await {
    ///     let document = document?;
    ///     println!("{}: {:?}", document.document.source, document.values?.number);
    /// }
    /// println!("{:?}", documents.report().map(|report| report.verdict));
    /// # Ok(()) }
    /// ```
    pub fn stream<T: DeserializeOwned>(self) -> TypedDocuments<T> {
        let (sender, documents) = mpsc::channel(1);
        let dropped = sender.clone();
        let run = self.deliver_to(StreamSink(sender)).also_stop_on(async move { dropped.closed().await });
        TypedDocuments { documents, last: None, run: Some(tokio::spawn(run.run())), report: None, values: PhantomData }
    }
}

impl<T> TypedDocuments<T> {
    /// Returns the report of the run, after the last document.
    pub fn report(&self) -> Option<&RunReport> {
        self.report.as_ref()
    }
}

impl<T> Unpin for TypedDocuments<T> {}

fn extract<T: DeserializeOwned>(document: &DocumentRecord) -> documine::Result<T> {
    let Some(components) = &document.components else {
        // Delivered documents are recorded.
        let message = format!("{}: the journal has no components", document.source);
        return Err(documine::Error::builder(documine::ErrorKind::Input).message(message).build());
    };
    components.extract()
}

impl<T: DeserializeOwned> Stream for TypedDocuments<T> {
    type Item = Result<TypedDocument<T>>;

    /// Returns the next document. The last item is an error if the run failed as a whole.
    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if let Some(last) = self.last.take() {
            // The run may have ended.
            let _ = last.send(());
        }
        if let Poll::Ready(Some((document, done))) = self.documents.poll_recv(context) {
            self.last = Some(done);
            let values = extract(&document);
            return Poll::Ready(Some(Ok(TypedDocument { document, values })));
        }
        let Some(run) = &mut self.run else { return Poll::Ready(None) };
        let Poll::Ready(ended) = run.poll_unpin(context) else { return Poll::Pending };
        self.run = None;
        match ended {
            Ok(Ok(report)) => {
                self.report = Some(report);
                Poll::Ready(None)
            }
            Ok(Err(error)) => Poll::Ready(Some(Err(error))),
            Err(error) => {
                let error = Error::new(ErrorKind::Service, format!("the task of the run failed: {error}"));
                Poll::Ready(Some(Err(error)))
            }
        }
    }
}
