// A gRPC client of the service with promises, and errors with their details decoded.

import path from 'node:path';
import { fileURLToPath } from 'node:url';
import grpc from '@grpc/grpc-js';
import protoLoader from '@grpc/proto-loader';

const here = path.dirname(fileURLToPath(import.meta.url));
const definitions = protoLoader.loadSync(
  ['notification/notification.proto', 'notification/preference.proto', 'notification/admin.proto',
    'notification/template.proto', 'google/rpc/status.proto', 'google/rpc/error_details.proto',
    'grpc/health/v1/health.proto'],
  {
    includeDirs: [path.join(here, '../../proto')],
    enums: String, longs: Number, defaults: true, keepCase: true,
  },
);
const packages = grpc.loadPackageDefinition(definitions);
const servicePath = '/notification.NotificationService/';

/** The google.rpc details of an error by the short name of their type. */
function decodeDetails(metadata) {
  const details = {};
  const [bytes] = metadata?.get('grpc-status-details-bin') ?? [];
  if (!bytes) return details;
  for (const { type_url: url, value } of definitions['google.rpc.Status'].deserialize(bytes).details) {
    const type = url.slice(url.lastIndexOf('/') + 1);
    details[type.replace('google.rpc.', '')] = definitions[type].deserialize(value);
  }
  return details;
}

/** What a failed call throws: `code` is the status's name, `fields` the fields that were refused. */
export class CallError extends Error {
  constructor(error) {
    super(`${grpc.status[error.code]}: ${error.details}`);
    this.code = grpc.status[error.code];
    this.text = error.details;
    this.info = decodeDetails(error.metadata);
    this.fields = (this.info.BadRequest?.field_violations ?? []).map((violation) => violation.field);
  }
}

export class Client {
  /**
   * `tls`: { ca, cert, key } in PEM, `cert` and `key` of the caller if it has them; `headers`: sent
   * with every call.
   */
  constructor(address, { tls, headers = {} } = {}) {
    const credentials = tls
      ? grpc.credentials.createSsl(tls.ca, tls.key ?? null, tls.cert ?? null)
      : grpc.credentials.createInsecure();
    this.metadata = grpc.Metadata.fromHttp2Headers(headers);
    // After a restart a test should not wait for a long backoff.
    const options = { 'grpc.initial_reconnect_backoff_ms': 50, 'grpc.max_reconnect_backoff_ms': 200 };
    this.notifications = new packages.notification.NotificationService(address, credentials, options);
    this.preferences = new packages.notification.PreferenceService(address, credentials, options);
    this.admin = new packages.notification.AdminService(address, credentials, options);
    this.templates = new packages.notification.TemplateService(address, credentials, options);
    this.health = new packages.grpc.health.v1.Health(address, credentials, options);
  }

  close() {
    this.notifications.close();
    this.preferences.close();
    this.admin.close();
    this.templates.close();
    this.health.close();
  }

  call(method, request, { deadlineMs = 10_000 } = {}) {
    return this.#promise((done) => this.notifications[method](request, this.metadata,
      { deadline: Date.now() + deadlineMs }, done));
  }

  /** A method of PreferenceService. */
  callPreferences(method, request) {
    return this.#promise((done) => this.preferences[method](request, this.metadata,
      { deadline: Date.now() + 10_000 }, done));
  }

  /** A method of TemplateService by the first word of its name: 'create', 'preview', ... */
  template(verb, request) {
    const method = `${verb[0].toUpperCase()}${verb.slice(1)}Template${verb === 'list' ? 's' : ''}`;
    return this.#promise((done) => this.templates[method](request, this.metadata,
      { deadline: Date.now() + 10_000 }, done));
  }

  listDeadLetters(request) {
    return this.#promise((done) => this.admin.ListDeadLetters(request, this.metadata,
      { deadline: Date.now() + 10_000 }, done));
  }

  /** Replays to the end and returns all progress; `onProgress` may cancel the stream it is given. */
  replay(request, onProgress = () => {}) {
    return new Promise((resolve, reject) => {
      const stream = this.admin.ReplayNotifications({ actor: 'a test', ...request }, this.metadata,
        { deadline: Date.now() + 60_000 });
      const heard = [];
      stream.on('data', (message) => {
        heard.push(message);
        onProgress(message, stream);
      });
      stream.on('error', () => {}); // the status says it too
      stream.on('status', (status) => {
        if (status.code === grpc.status.OK) resolve(heard);
        else reject(Object.assign(new CallError(status), { heard }));
      });
    });
  }

  /** A request as raw bytes, whatever they are. */
  callRaw(method, bytes) {
    const { responseDeserialize } = this.notifications.constructor.service[method];
    return this.#promise((done) => this.notifications.makeUnaryRequest(servicePath + method,
      (buffer) => buffer, responseDeserialize, bytes, new grpc.Metadata(),
      { deadline: Date.now() + 10_000 }, done));
  }

  /** A stream whose messages are raw bytes, whatever they are. */
  streamRaw() {
    const { responseDeserialize } = this.notifications.constructor.service.StreamNotifications;
    return this.notifications.makeBidiStreamRequest(`${servicePath}StreamNotifications`,
      (buffer) => buffer, responseDeserialize, this.metadata);
  }

  check(service = '') {
    return this.#promise((done) => this.health.Check({ service }, this.metadata,
      { deadline: Date.now() + 5000 }, done));
  }

  /** Watches a service's health until `until` returns true of what came, or the watch ends. */
  watch(service, until = () => false) {
    return new Promise((resolve) => {
      const stream = this.health.Watch({ service }, this.metadata, { deadline: Date.now() + 30_000 });
      const heard = [];
      stream.on('data', ({ status }) => {
        heard.push(status);
        if (until(heard)) stream.cancel();
      });
      stream.on('error', () => {}); // the status says it too
      stream.on('status', ({ code }) => resolve({ heard, code: grpc.status[code] }));
    });
  }

  #promise(start) {
    return new Promise((resolve, reject) => {
      start((error, response) => (error ? reject(new CallError(error)) : resolve(response)));
    });
  }
}

/** Fields of the protobuf wire format by hand, for what no client would send. */
export const wire = {
  varint(value) {
    const bytes = [];
    for (let rest = BigInt(value); ; rest >>= 7n) {
      if (rest < 0x80n) return Buffer.from([...bytes, Number(rest)]);
      bytes.push(Number(rest & 0x7fn) | 0x80);
    }
  },
  /** A length-delimited field: text or bytes. */
  bytes(number, value) {
    const content = Buffer.from(value);
    return Buffer.concat([wire.varint(number * 8 + 2), wire.varint(content.length), content]);
  },
  request: definitions['notification.SendNotificationRequest'].serialize,
};
