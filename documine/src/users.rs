//! `6. Users`: who works in the workspace.

use crate::User;
use crate::client::Client;
use crate::page::List;

impl Client {
    /// The workspace's users (`getUsers`; its path is inferred).
    pub fn users(&self) -> List<(), User> {
        List::new(self, (), |client, (), options| {
            Box::pin(async move {
                let (list, facts) = client.answer(client.requests().get_users().prepare(), &options).await?;
                facts.page(list.users, &list.extra)
            })
        })
    }
}
