// A certificate authority of a test's own, and certificates of services, made by the openssl command.

import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';

const openssl = (...args) => execFileSync('openssl', args, { stdio: ['ignore', 'ignore', 'pipe'] });
const newKey = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];

export class Authority {
  /** Its files are in `dir`. */
  constructor(dir, name = 'ca') {
    this.dir = dir;
    this.file = path.join(dir, `${name}.pem`);
    this.key = path.join(dir, `${name}.key`);
    openssl('req', '-x509', ...newKey, '-days', '2', '-subj', `/CN=${name}`, '-keyout', this.key, '-out', this.file);
  }

  /**
   * A certificate for 127.0.0.1, of a service with this SPIFFE id if there is one: { cert, key }, as files. With one it
   * has no subject, as those that meshes issue.
   */
  issue(name, spiffeId) {
    const files = { cert: path.join(this.dir, `${name}.pem`), key: path.join(this.dir, `${name}.key`) };
    const request = path.join(this.dir, `${name}.csr`);
    const names = ['IP:127.0.0.1', ...(spiffeId ? [`URI:${spiffeId}`] : [])].join(',');
    openssl('req', ...newKey, '-subj', spiffeId ? '/' : `/CN=${name}`, '-addext', `subjectAltName=${names}`,
      '-keyout', files.key, '-out', request);
    openssl('x509', '-req', '-days', '2', '-CA', this.file, '-CAkey', this.key, '-CAcreateserial',
      '-copy_extensions', 'copy', '-in', request, '-out', files.cert);
    return files;
  }

  /** What a client presents, for `new Client(address, { tls })`. */
  credentials(files) {
    return { ca: fs.readFileSync(this.file), ...(files && { cert: fs.readFileSync(files.cert), key: fs.readFileSync(files.key) }) };
  }
}
