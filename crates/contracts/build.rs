//! Compiles `proto/` without protoc: descriptors with comments and options, and the Rust types.

use std::{
    env,
    error::Error,
    fs, io,
    path::{Path, PathBuf},
};

fn main() -> Result<(), Box<dyn Error>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../proto");
    println!("cargo:rerun-if-changed={}", root.display());
    let mut files = Vec::new();
    find(&root.join("linli"), &mut files)?;
    files.sort();
    // nothing imports it, but every error carries its messages
    files.push(root.join("third_party/google/rpc/error_details.proto"));

    let mut compiler = protox::Compiler::new([root.clone(), root.join("third_party")])?;
    // {:?} is miette's report, which names file and line
    compiler
        .include_source_info(true)
        .include_imports(true)
        .open_files(&files)
        .map_err(|e| format!("{e:?}"))?;
    // These bytes keep the custom options, which the typed set below loses.
    let bytes = compiler.encode_file_descriptor_set();
    let out = PathBuf::from(env::var("OUT_DIR")?);
    fs::write(out.join("linli.binpb"), bytes)?;

    let mut config = tonic_prost_build::Config::new();
    config.bytes(["."]).enable_type_names().include_file("linli.rs").disable_comments(["."]);
    tonic_prost_build::configure()
        .codec_path("crate::codec::CheckedCodec")
        .emit_rerun_if_changed(false)
        .compile_fds_with_config(compiler.file_descriptor_set(), config)?;
    Ok(())
}

fn find(dir: &Path, files: &mut Vec<PathBuf>) -> io::Result<()> {
    for entry in fs::read_dir(dir)? {
        let path = entry?.path();
        if path.is_dir() {
            find(&path, files)?;
        } else if path.extension().is_some_and(|e| e == "proto") {
            files.push(path);
        }
    }
    Ok(())
}
