//! `6. Users`: the users of the workspace.

use crate::client::Client;
use crate::list::{ListRequest, named_list};
use crate::models::User;

impl Client {
    /// Lists the workspace's users (`getUsers`; its path is inferred).
    pub fn users(&self) -> ListUsers {
        ListUsers::new(self, (), |client, (), _| {
            Box::pin(async move {
                ListRequest::new(client.requests().get_users().prepare(), |list| (list.users, list.extra))
            })
        })
    }
}

named_list! {
    /// Lists the users of the workspace (`getUsers`; its path is inferred). Created by [`Client::users`].
    ///
    /// ```
    /// # async fn f(client: documine::Client) -> documine::Result<()> {
    /// for user in client.users().await? {
    ///     println!("{:?}", user);
    /// }
    /// # Ok(()) }
    /// ```
    ListUsers(()) -> User
}
