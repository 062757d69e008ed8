//! `6. Users`: the users of the workspace.

use crate::client::Client;
use crate::list::{List, ListRequest};
use crate::models::User;

impl Client {
    /// Lists the workspace's users (`getUsers`; its path is inferred).
    pub fn users(&self) -> List<(), User> {
        List::new(self, (), |client, (), _| {
            Box::pin(async move {
                ListRequest::new(client.requests().get_users().prepare(), |list| (list.users, list.extra))
            })
        })
    }
}
