//! Users of the workspace.

use crate::harness::test_env::TestEnv;

#[tokio::test]
async fn lists_users_of_workspace() {
    let env = TestEnv::new().await;
    let users = env.client.users().await.unwrap();
    let caller = users.iter().find(|user| user.username.as_deref() == Some(env.sim.username())).unwrap();
    assert!(caller.email.is_some() && !caller.roles.is_empty());
    let mut ids: Vec<_> = users.iter().map(|user| &user.id).collect();
    ids.dedup();
    assert_eq!(ids.len(), users.len());
}

#[tokio::test]
async fn dossier_belongs_to_user_who_creates_it() {
    let env = TestEnv::new().await;
    let users = env.client.users().await.unwrap();
    let caller = users.iter().find(|user| user.username.as_deref() == Some(env.sim.username())).unwrap();
    let dossier = env.dossier().await.get().await.unwrap();
    assert_eq!(dossier.owner_id.as_ref(), Some(&caller.id));
}
