//! Lists that are taken piece by piece.

use documine::{BoxFuture, Client, ListStream};
use futures_util::TryStreamExt;

use super::{Beside, drop_everywhere, nothing};

/// Drops a stream of a template's dossiers everywhere.
fn streams<I: Send + 'static>(stream: fn(documine::DossierTemplateHandle) -> ListStream<I>, check: fn(&[I])) {
    let beside = Beside::start();
    for _ in 0..3 {
        let _there = beside.dossier();
    }
    let template = beside.template();
    let list = move |client: Client| -> BoxFuture<'static, documine::Result<()>> {
        let stream = stream(template(&client));
        Box::pin(async move {
            let items: Vec<I> = stream.try_collect().await?;
            check(&items);
            Ok(())
        })
    };
    drop_everywhere(&beside, list, nothing);
}

#[test]
fn a_list_item_by_item() {
    streams(|template| template.dossiers().stream(), |items| assert_eq!(items.len(), 3));
}

#[test]
fn a_list_with_a_result_for_each_item() {
    streams(
        |template| template.dossiers().stream_each(),
        |items| assert!(items.len() == 3 && items.iter().all(Result::is_ok)),
    );
}

#[test]
fn a_list_page_by_page() {
    streams(|template| template.dossiers().pages(), |pages| assert_eq!(pages[0].items.len(), 3));
}
