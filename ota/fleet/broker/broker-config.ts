import {z} from 'zod';

const port = z.int().min(0).max(65_535);

/** Where boxes and servers meet. A change needs a restart. */
export const brokerConfigSchema = z.discriminatedUnion('kind', [
	/** mosquitto as a child of this server. */
	z.strictObject({
		kind: z.literal('mosquitto'),
		command: z.string().default('/usr/sbin/mosquitto'),
		host: z.string().default('0.0.0.0'),
		/** For boxes. 0 = any free port, kept from then on, because boxes keep the address. */
		port: port.default(8883),
		/** For fleet servers, which may read and write everything: an address that only they can reach. */
		serverHost: z.string().default('127.0.0.1'),
		serverPort: port.default(8884),
		connectionsMax: z.int().min(1).max(1_000_000).default(100_000),
		/** Of the whole broker; beyond it messages are refused. */
		memoryBytesMax: z.int().min(16_777_216).default(1_073_741_824),
	}),
	/**
	 * One that somebody else runs, with what mosquitto-config.ts says: a listener for boxes (mutual TLS by the fleet's
	 * authority, revocation list, client id = CN, each box its own topics) and one for fleet servers. The list is
	 * `GET /revocations.pem` of the device listener.
	 */
	z.strictObject({
		kind: z.literal('external'),
		boxUrl: z.url({protocol: /^mqtts$/u}),
		serverUrl: z.url({protocol: /^mqtts?$/u}),
		/** For the listener of servers; absent, an `mqtts` one is shown a certificate of `server-authority/`. */
		serverFiles: z.strictObject({ca: z.string(), certificate: z.string(), key: z.string()}).optional(),
	}),
]);
export type BrokerConfig = z.infer<typeof brokerConfigSchema>;
export type MosquittoBrokerConfig = Extract<BrokerConfig, {kind: 'mosquitto'}>;
