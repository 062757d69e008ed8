//! `6. Users`: who works in the workspace.

use crate::User;
use crate::client::Client;
use crate::page::{List, Question};

impl Client {
    /// The workspace's users (`getUsers`; its path is inferred).
    pub fn users(&self) -> List<(), User> {
        List::new(self, (), |client, (), _| {
            Box::pin(
                async move { Question::new(client.requests().get_users().prepare(), |list| (list.users, list.extra)) },
            )
        })
    }
}
