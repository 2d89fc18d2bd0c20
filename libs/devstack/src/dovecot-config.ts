/** The configuration of a private Dovecot that runs entirely as one ordinary user, for Dovecot 2.3 and 2.4. */

export interface DovecotLayout {
  readonly dir: string;
  /** For its sockets. */
  readonly runDir: string;
  readonly host: string;
  readonly port: number;
  /** IMAP over TLS, and STARTTLS on `port`; no TLS at all when undefined. */
  readonly tlsPort: number | undefined;
  /** The user and group that Dovecot runs as. */
  readonly user: string;
  readonly group: string;
  readonly uid: number;
  readonly gid: number;
  /** The capabilities to announce instead of Dovecot's own. */
  readonly capability: string | undefined;
}

/** The whole dovecot.conf. `version` is what `dovecot --version` prints. */
export function dovecotConfig(layout: DovecotLayout, version: string): string {
  return version.startsWith('2.3.')
    ? common(layout) + settings23(layout)
    : settings24(layout, common(layout));
}

const SPECIAL_USE = ['Drafts', 'Sent', 'Junk', 'Trash', 'Archive'];

function common({ dir, runDir, host, port, tlsPort, user, group, capability }: DovecotLayout): string {
  const folders = SPECIAL_USE.map(
    (name) => `  mailbox ${name} {\n    special_use = \\${name}\n    auto = subscribe\n  }`,
  );
  return `protocols = imap
listen = ${host}
base_dir = ${runDir}
state_dir = ${dir}/state
log_path = ${dir}/dovecot.log
default_internal_user = ${user}
default_internal_group = ${group}
default_login_user = ${user}
first_valid_uid = 1
mail_max_userip_connections = 1000
mail_fsync = never
mailbox_idle_check_interval = 1 s
auth_failure_delay = 0
${capability === undefined ? '' : `imap_capability = ${capability}\n`}ssl = ${tlsPort === undefined ? 'no' : 'yes'}
service imap-login {
  chroot =
  inet_listener imap {
    port = ${port}
  }
  inet_listener imaps {
    port = ${tlsPort ?? 0}
    ssl = yes
  }
}
service imap {
  process_limit = 2000
}
service anvil {
  chroot =
  unix_listener anvil-auth-penalty {
    mode = 0
  }
}
namespace inbox {
  inbox = yes
  separator = /
${folders.join('\n')}
}
`;
}

function settings23({ dir, uid, gid }: DovecotLayout): string {
  return `disable_plaintext_auth = no
ssl_cert = <${dir}/cert.pem
ssl_key = <${dir}/key.pem
mail_location = maildir:~/Maildir
passdb {
  driver = passwd-file
  args = scheme=plain username_format=%u ${dir}/users
}
userdb {
  driver = static
  args = uid=${uid} gid=${gid} home=${dir}/mail/%u
}
`;
}

function settings24({ dir, uid, gid }: DovecotLayout, commonSettings: string): string {
  return `dovecot_config_version = 2.4.0
dovecot_storage_version = 2.4.0
${commonSettings}auth_allow_cleartext = yes
ssl_server_cert_file = ${dir}/cert.pem
ssl_server_key_file = ${dir}/key.pem
mail_driver = maildir
mail_path = ~/Maildir
passdb passwd-file {
  passwd_file_path = ${dir}/users
  default_password_scheme = plain
  auth_username_format = %{user}
}
userdb static {
  fields {
    uid = ${uid}
    gid = ${gid}
    home = ${dir}/mail/%{user}
  }
}
`;
}
