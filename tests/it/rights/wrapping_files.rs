//! The files of wrapping keys: who changes them does so alone, and they stay their service's.

use std::fs;
use std::path::{Path, PathBuf};

use brygga::app::WrappingFiles;
use brygga::seal::{WrappingId, WrappingKey, WrappingKeys};
use secrecy::{ExposeSecret as _, SecretString};

use crate::harness::folder_in_memory;

fn one_key(folder: &Path) -> (PathBuf, WrappingFiles) {
    let file = folder.join("wrapping.key");
    fs::write(&file, WrappingKey::new_secret().expect("random numbers").expose_secret()).expect("written");
    (file.clone(), WrappingFiles::new(vec![file]))
}

fn newest(file: &Path) -> Option<WrappingId> {
    let text = SecretString::from(fs::read_to_string(file).expect("a file of keys"));
    WrappingKeys::read([&text]).expect("keys").newest().ok().map(WrappingKey::id)
}

#[tokio::test]
async fn no_key_is_dropped_while_another_than_the_newest_is_in_use() {
    let folder = folder_in_memory();
    let (file, files) = one_key(folder.path());
    let before = newest(&file);
    let held = files.hold().await.expect("held");
    held.renew(before).expect("renewed");
    for in_use in [before, None] {
        held.drop_old(in_use).expect_err("the newest is not in use");
        assert_eq!(held.count().expect("a count"), 2);
    }
    assert!(held.drop_old(newest(&file)).expect("dropped"));
    assert_eq!(held.count().expect("a count"), 1);
    assert_ne!(newest(&file), before);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_many_who_put_a_key_before_the_others_none_loses_anothers() {
    let folder = folder_in_memory();
    let (_, files) = one_key(folder.path());
    let add = |files: WrappingFiles| async move { files.hold().await.expect("held").add().expect("added") };
    let all: Vec<_> = (0..20).map(|_| tokio::spawn(add(files.clone()))).collect();
    for one in all {
        one.await.expect("it ends");
    }
    assert_eq!(files.hold().await.expect("held").count().expect("a count"), 21);
}

#[cfg(unix)]
#[tokio::test]
async fn a_file_that_is_written_anew_keeps_its_owner_and_its_rights() {
    use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, chown};
    let folder = folder_in_memory();
    let (file, files) = one_key(folder.path());
    fs::set_permissions(&file, fs::Permissions::from_mode(0o640)).expect("set");
    // As root, it is another user's; otherwise it is our own and stays so.
    chown(&file, Some(4711), Some(4712)).unwrap_or_default();
    let of = |path: &Path| fs::metadata(path).map(|of| (of.uid(), of.gid(), of.mode() & 0o777)).expect("a file");
    let before = of(&file);
    let held = files.hold().await.expect("held");
    held.can_renew(newest(&file)).expect("writable");
    held.renew(newest(&file)).expect("renewed");
    assert_eq!(of(&file), before);
    held.drop_old(newest(&file)).expect("dropped");
    assert_eq!((of(&file), of(&file.with_extension("lock"))), (before, before));
    assert!(!file.with_extension("tmp").exists());
}
