//! Who works in the workspace.

use crate::world::World;

#[tokio::test]
async fn the_users_of_the_workspace_are_listed() {
    let world = World::new().await;
    let users = world.client.users().await.unwrap();
    let caller = users.iter().find(|user| user.username.as_deref() == Some(world.sim.username())).unwrap();
    assert!(caller.email.is_some() && !caller.roles.is_empty());
    let mut ids: Vec<_> = users.iter().map(|user| &user.id).collect();
    ids.dedup();
    assert_eq!(ids.len(), users.len());
}

#[tokio::test]
async fn a_dossier_belongs_to_the_user_who_creates_it() {
    let world = World::new().await;
    let users = world.client.users().await.unwrap();
    let caller = users.iter().find(|user| user.username.as_deref() == Some(world.sim.username())).unwrap();
    let dossier = world.dossier().await.get().await.unwrap();
    assert_eq!(dossier.owner_id.as_ref(), Some(&caller.id));
}
