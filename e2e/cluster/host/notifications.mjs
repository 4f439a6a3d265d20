// Takes what Alertmanager's webhook sends and gives it back: POST / keeps a notification, GET / lists all of them.
//   ADDRESS, PORT: where to listen
import { createServer } from 'node:http';

const { ADDRESS, PORT } = process.env;
const kept = [];

const server = createServer(async (request, response) => {
  if (request.method === 'GET') return response.end(JSON.stringify(kept));
  const chunks = await request.toArray();
  kept.push({ timeMs: Date.now(), ...JSON.parse(Buffer.concat(chunks).toString()) });
  response.end();
}).listen(Number(PORT), ADDRESS);
process.on('SIGTERM', () => {
  server.close();
  server.closeAllConnections();
});
