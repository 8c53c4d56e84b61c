// Calls any unary method with a request in JSON, and prints the answer in JSON.
//
//   node call.mjs 127.0.0.1:50051 NotificationService/GetNotification '{"notification_id": "..."}'
//
// Exit status: 0 answered; 1 refused, with the status and its details on stderr; 2 wrong usage.

import path from 'node:path';
import { fileURLToPath } from 'node:url';
import grpc from '@grpc/grpc-js';
import protoLoader from '@grpc/proto-loader';

const [address, name = '', text] = process.argv.slice(2);
const [serviceName, methodName] = name.split('/');
const protoDirectory = path.join(path.dirname(fileURLToPath(import.meta.url)), '../proto');
const files = ['notification', 'preference', 'template', 'admin'].map((one) => `notification/${one}.proto`);
const definitions = protoLoader.loadSync(
  [...files, 'google/rpc/status.proto', 'google/rpc/error_details.proto'],
  { includeDirs: [protoDirectory], keepCase: true, enums: String, longs: Number },
);
const { notification } = grpc.loadPackageDefinition(definitions);
if (text === undefined || !notification[serviceName]?.service?.[methodName]) {
  console.error("usage: node call.mjs <address> <Service>/<Method> '<request in JSON>'");
  process.exit(2);
}

/** What a google.rpc.Status says beyond its code, as JSON. */
function detailsOf(error) {
  const [bytes] = error.metadata?.get('grpc-status-details-bin') ?? [];
  if (!bytes) return [];
  return definitions['google.rpc.Status'].deserialize(bytes).details.map(({ type_url: url, value }) => {
    const type = url.slice(url.lastIndexOf('/') + 1);
    return { type, ...definitions[type]?.deserialize(value) };
  });
}

const client = new notification[serviceName](address, grpc.credentials.createInsecure());
client[methodName](JSON.parse(text), { deadline: Date.now() + 5000 }, (error, answer) => {
  if (error) {
    console.error(`${grpc.status[error.code]}: ${error.details}`);
    for (const detail of detailsOf(error)) console.error(JSON.stringify(detail));
    process.exitCode = 1;
  } else {
    console.log(JSON.stringify(answer));
  }
  client.close();
});
