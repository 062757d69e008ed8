//! A program that brings no settings of its own: a person's file says where the service is and who logs in.

use documine::ClientBuilder;

use crate::world::World;

#[tokio::test]
async fn a_profile_has_all_that_a_client_needs() {
    let world = World::new().await;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("config.toml");
    let text = format!(
        "[profiles.acme]\nbase_url = \"{}\"\nworkspace = \"{}\"\nclient_id = \"{}\"\nclient_secret = \"{}\"\n\
         username = \"{}\"\npassword = \"{}\"\nscopes = [\"openid\", \"offline_access\"]\n",
        world.sim.base_url(),
        world.sim.workspace_id(),
        world.sim.client_id(),
        world.sim.client_secret(),
        world.sim.username(),
        world.sim.password(),
    );
    std::fs::write(&path, text).unwrap();
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
    }
    let client = ClientBuilder::from_profile(&path, "acme").unwrap().clock(world.time.clone()).build().unwrap();
    client.license().await.unwrap();
    assert_eq!(world.journal(), ["token 200", "getLicense 200"]);
    assert_eq!((client.base_url(), client.workspace()), (world.sim.base_url(), world.sim.workspace_id()));
}
