//! Which name is served by what.

use std::ffi::OsString;

use crate::own;

/// A utility by one of its names.
pub struct Utility {
    /// The name it is called by.
    name: &'static str,
    /// The name of its message texts, if they are uutils'.
    pub texts: Option<&'static str>,
    /// Its main function: arguments with the name first, to the exit code.
    pub main: fn(Vec<OsString>) -> i32,
}

/// The utility of this name.
pub fn find(name: &str) -> Option<&'static Utility> {
    UUTILS.iter().chain(OWN).find(|utility| utility.name == name)
}

/// Rows of uutils' utilities: the name, the name of the texts, the crate.
macro_rules! uutils {
    ($($name:literal => $texts:literal $module:ident),* $(,)?) => {
        &[$(Utility { name: $name, texts: Some($texts), main: |arguments| $module::uumain(arguments.into_iter()) }),*]
    };
}

/// Rows of our own utilities: the name, the exit code for trouble, the main function.
macro_rules! own {
    ($($name:literal => $trouble:literal $main:path),* $(,)?) => {
        &[$(Utility { name: $name, texts: None, main: |arguments| own::run($name, $trouble, arguments, $main) }),*]
    };
}

const UUTILS: &[Utility] = uutils![
    "[" => "test" uu_test,
    "b2sum" => "b2sum" uu_b2sum,
    "base32" => "base32" uu_base32,
    "base64" => "base64" uu_base64,
    "basename" => "basename" uu_basename,
    "basenc" => "basenc" uu_basenc,
    "cat" => "cat" uu_cat,
    "cksum" => "cksum" uu_cksum,
    "comm" => "comm" uu_comm,
    "cp" => "cp" uu_cp,
    "csplit" => "csplit" uu_csplit,
    "cut" => "cut" uu_cut,
    "date" => "date" uu_date,
    "dd" => "dd" uu_dd,
    "dircolors" => "dircolors" uu_dircolors,
    "dirname" => "dirname" uu_dirname,
    "echo" => "echo" uu_echo,
    "expand" => "expand" uu_expand,
    "expr" => "expr" uu_expr,
    "factor" => "factor" uu_factor,
    "fmt" => "fmt" uu_fmt,
    "fold" => "fold" uu_fold,
    "head" => "head" uu_head,
    "join" => "join" uu_join,
    "link" => "link" uu_link,
    "ln" => "ln" uu_ln,
    "ls" => "ls" uu_ls,
    "md5sum" => "md5sum" uu_md5sum,
    "mkdir" => "mkdir" uu_mkdir,
    "mktemp" => "mktemp" uu_mktemp,
    "mv" => "mv" uu_mv,
    "nl" => "nl" uu_nl,
    "nproc" => "nproc" uu_nproc,
    "numfmt" => "numfmt" uu_numfmt,
    "od" => "od" uu_od,
    "paste" => "paste" uu_paste,
    "pathchk" => "pathchk" uu_pathchk,
    "pr" => "pr" uu_pr,
    "printenv" => "printenv" uu_printenv,
    "printf" => "printf" uu_printf,
    "ptx" => "ptx" uu_ptx,
    "pwd" => "pwd" uu_pwd,
    "readlink" => "readlink" uu_readlink,
    "realpath" => "realpath" uu_realpath,
    "rm" => "rm" uu_rm,
    "rmdir" => "rmdir" uu_rmdir,
    "seq" => "seq" uu_seq,
    "sha1sum" => "sha1sum" uu_sha1sum,
    "sha224sum" => "sha224sum" uu_sha224sum,
    "sha256sum" => "sha256sum" uu_sha256sum,
    "sha384sum" => "sha384sum" uu_sha384sum,
    "sha512sum" => "sha512sum" uu_sha512sum,
    "shred" => "shred" uu_shred,
    "shuf" => "shuf" uu_shuf,
    "sleep" => "sleep" uu_sleep,
    "sort" => "sort" uu_sort,
    "split" => "split" uu_split,
    "sum" => "sum" uu_sum,
    "tail" => "tail" uu_tail,
    "tee" => "tee" uu_tee,
    "test" => "test" uu_test,
    "touch" => "touch" uu_touch,
    "tr" => "tr" uu_tr,
    "truncate" => "truncate" uu_truncate,
    "tsort" => "tsort" uu_tsort,
    "uname" => "uname" uu_uname,
    "unexpand" => "unexpand" uu_unexpand,
    "uniq" => "uniq" uu_uniq,
    "unlink" => "unlink" uu_unlink,
    "wc" => "wc" uu_wc,
    "yes" => "yes" uu_yes,
];

const OWN: &[Utility] = own![
    "chmod" => 1 own::chmod::chmod,
    "du" => 1 own::du::du,
    "env" => 125 own::env::env,
    "false" => 1 own::no,
    "hexdump" => 1 own::hexadecimal::hexdump,
    "rev" => 1 own::rev::rev,
    "stat" => 1 own::stat::stat,
    "tac" => 1 own::tac::tac,
    "timeout" => 125 own::timeout::timeout,
    "true" => 1 own::yes,
    "xxd" => 1 own::hexadecimal::xxd,
];
