// The least that a gRPC service does on the same library: the same method, which answers that all is well.
import { Server, ServerCredentials } from '@grpc/grpc-js';
import { rateLimitService } from '@portcullis/rate-limiter/rate-limit.grpc';

const { service } = rateLimitService().envoy.service.ratelimit.v3.RateLimitService;
const reply = { overallCode: 'OK', statuses: [{ code: 'OK' }] };
const server = new Server();
server.addService(service, { ShouldRateLimit: (_call, answered) => answered(null, reply) });
server.bindAsync(`127.0.0.1:${process.env.BENCH_PORT}`, ServerCredentials.createInsecure(), (error) => {
  if (error) throw error;
  process.send('ready');
});
process.on('SIGTERM', () => process.exit());
process.on('disconnect', () => process.exit());
