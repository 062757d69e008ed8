//! Configuration from a profile file: base URL, workspace and credentials.

use documine::ClientBuilder;

use crate::harness::test_env::TestEnv;

#[tokio::test]
async fn builds_client_from_profile() {
    let env = TestEnv::new().await;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("config.toml");
    let text = format!(
        "[profiles.acme]\nbase_url = \"{}\"\nworkspace = \"{}\"\nclient_id = \"{}\"\nclient_secret = \"{}\"\n\
         username = \"{}\"\npassword = \"{}\"\nscopes = [\"openid\", \"offline_access\"]\n",
        env.sim.base_url(),
        env.sim.workspace_id(),
        env.sim.client_id(),
        env.sim.client_secret(),
        env.sim.username(),
        env.sim.password(),
    );
    std::fs::write(&path, text).unwrap();
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
    }
    let client = ClientBuilder::from_profile(&path, "acme").unwrap().clock(env.time.clone()).build().unwrap();
    client.license().await.unwrap();
    assert_eq!(env.request_log(), ["token 200", "getLicense 200"]);
    assert_eq!((client.base_url(), client.workspace()), (env.sim.base_url(), env.sim.workspace_id()));
}
