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
#[tokio::test]
async fn tmp_timing() {
    let t = std::time::Instant::now();
    let r = documine_sim::Rules::built_in();
    eprintln!("rules {:?}", t.elapsed());
    let t = std::time::Instant::now();
    let sim = documine_sim::Simulator::builder().rules(r).start().await.unwrap();
    eprintln!("start {:?}", t.elapsed());
    let t = std::time::Instant::now();
    let c = documine::Client::builder(sim.base_url()).workspace(sim.workspace_id()).credentials(documine::Credentials::password(sim.client_id(), sim.username(), sim.password()).client_secret(sim.client_secret())).build().unwrap();
    eprintln!("client {:?}", t.elapsed());
    let t = std::time::Instant::now();
    c.license().await.unwrap();
    eprintln!("first call {:?}", t.elapsed());
    let t = std::time::Instant::now();
    c.license().await.unwrap();
    eprintln!("second call {:?}", t.elapsed());
    let d = c.dossier_template(sim.dossier_template_id().parse::<documine::DossierTemplateId>().unwrap()).create_dossier(documine::NewDossier::named("a")).await.unwrap();
    let t = std::time::Instant::now();
    let f = d.upload(documine::Source::bytes("a.pdf", crate::paper::STUDY)).await.unwrap();
    eprintln!("upload {:?}", t.elapsed());
    sim.clock().advance(std::time::Duration::from_secs(60));
    let f = f.processed().await.unwrap();
    let t = std::time::Instant::now();
    f.components().await.unwrap();
    eprintln!("components {:?}", t.elapsed());
}
