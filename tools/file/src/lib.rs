//! The built-in file tools: read_file, write_file, edit_file, list_dir, find_files and grep.

mod edit;
mod find;
mod list;
mod nearest;
mod read;
mod replace;
mod search;
mod text;
mod walk;
mod write;

chiton_sdk::export!(
    read::read_file,
    write::write_file,
    edit::edit_file,
    list::list_dir,
    find::find_files,
    search::grep,
);
