//! Dropped list streams.

use documine::{BoxFuture, Client, list::ListStream};
use futures_util::TryStreamExt;

use super::{IsolatedSimulator, drop_after_each_poll, no_check};

/// Drops a stream of a template's dossiers after each poll.
fn drop_list_stream<I: Send + 'static>(stream: fn(documine::DossierTemplateHandle) -> ListStream<I>, check: fn(&[I])) {
    let isolated = IsolatedSimulator::start();
    for _ in 0..3 {
        let _dossier = isolated.dossier();
    }
    let template = isolated.template();
    let list = move |client: Client| -> BoxFuture<'static, documine::Result<()>> {
        let stream = stream(template(&client));
        Box::pin(async move {
            let items: Vec<I> = stream.try_collect().await?;
            check(&items);
            Ok(())
        })
    };
    drop_after_each_poll(&isolated, list, no_check);
}

#[test]
fn dropped_item_stream_leaves_nothing() {
    drop_list_stream(|template| template.dossiers().stream(), |items| assert_eq!(items.len(), 3));
}

#[test]
fn dropped_result_stream_leaves_nothing() {
    drop_list_stream(
        |template| template.dossiers().stream_each(),
        |items| assert!(items.len() == 3 && items.iter().all(Result::is_ok)),
    );
}

#[test]
fn dropped_page_stream_leaves_nothing() {
    drop_list_stream(|template| template.dossiers().pages(), |pages| assert_eq!(pages[0].items.len(), 3));
}
