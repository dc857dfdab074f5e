import {createClient, type Message} from 'dbus-native';
import {z} from 'zod';
import {errorMessage} from '#appliance/error/coded-error.ts';
import {sleep} from '#appliance/time/sleep.ts';
import {slotError} from '#ota/slot/slot-error.ts';

const raucName = 'de.pengutronix.rauc';
const installer = 'de.pengutronix.rauc.Installer';
const busName = 'org.freedesktop.DBus';
const callTimeoutMs = 25_000;

/** RAUC looks at the loop device of every mount on the machine, and gives up on one that goes while it looks. */
const loopGone = /loop backing_file/iu;
const maxLooks = 5;
const lookAgainMs = 200;

/** What the daemon tells while it works. */
export type RaucSignal =
	| {readonly kind: 'progress'; readonly percent: number; readonly message: string}
	| {readonly kind: 'completed'; readonly result: number}
	/** The daemon, or the bus, is gone: what it was doing will never be completed. */
	| {readonly kind: 'lost'; readonly detail: string};

const slotStatusSchema = z.object({
	class: z.string(),
	state: z.enum(['booted', 'active', 'inactive']),
	bootname: z.string().optional(),
	parent: z.string().optional(),
	'boot-status': z.enum(['good', 'bad']).optional(),
	sha256: z.string().optional(),
	'bundle.version': z.string().optional(),
	'activated.timestamp': z.string().optional(),
});
const slotsSchema = z.array(z.tuple([z.string(), slotStatusSchema])).max(64);
export type RaucSlot = {readonly name: string} & z.infer<typeof slotStatusSchema>;

const propertiesSchema = z.object({Operation: z.string(), LastError: z.string(), BootSlot: z.string()});
export type RaucProperties = z.infer<typeof propertiesSchema>;

const progressSchema = z.object({Progress: z.tuple([z.number(), z.string(), z.number()])});

/** One connection to the daemon, for one operation. */
export type RaucBus = Disposable & {
	readonly properties: () => Promise<RaucProperties>;
	readonly slots: () => Promise<readonly RaucSlot[]>;
	readonly primary: () => Promise<string>;
	/** Answers as soon as the daemon has taken it; how it ends is told by a signal. */
	readonly installBundle: (path: string) => Promise<void>;
	readonly mark: (state: 'good' | 'bad' | 'active', slot: string) => Promise<void>;
};

export const openRaucBus = async (options: {
	/** Default: the system bus. */
	readonly address?: string | undefined;
	readonly onSignal?: (signal: RaucSignal) => void;
	readonly signal: AbortSignal;
}): Promise<RaucBus> => {
	const {signal, onSignal = () => undefined} = options;
	signal.throwIfAborted();
	const busAddress =
		options.address ?? process.env['DBUS_SYSTEM_BUS_ADDRESS'] ?? 'unix:path=/run/dbus/system_bus_socket';
	const client = createClient({busAddress, timeout: callTimeoutMs});
	const {connection} = client;
	const broken = Promise.withResolvers<never>();
	broken.promise.catch(() => undefined);
	const lose = (detail: string): void => {
		broken.reject(lost(detail));
		onSignal({kind: 'lost', detail});
	};
	connection.on('error', (error) => lose(errorMessage(error)));
	connection.on('close', () => lose('the connection to the bus was closed'));
	connection.on('message', (message) => readSignal(message, onSignal));
	/** The reply, or that there will be none. */
	const call = async (message: Message): Promise<unknown> => {
		try {
			return await Promise.race([client.invoke(message, {signal}), broken.promise]);
		} catch (error) {
			signal.throwIfAborted();
			throw asSlotError(error);
		}
	};
	const invoke = async (member: string, signature?: string, body?: unknown[]): Promise<unknown> => {
		const args = signature === undefined || body === undefined ? {} : {signature, body};
		for (let look = 1; ; look++) {
			try {
				return await call({destination: raucName, path: '/', interface: installer, member, ...args});
			} catch (error) {
				if (look === maxLooks || !loopGone.test(errorMessage(error))) {
					throw error;
				}
			}
			await sleep(lookAgainMs, {signal});
		}
	};
	const close = (): void => {
		connection.end();
		connection.stream.destroy();
	};
	try {
		for (const rule of [
			`type='signal',sender='${raucName}',path='/'`,
			`type='signal',sender='${busName}',member='NameOwnerChanged',arg0='${raucName}'`,
		]) {
			await call({
				destination: busName,
				path: '/org/freedesktop/DBus',
				interface: busName,
				member: 'AddMatch',
				signature: 's',
				body: [rule],
			});
		}
	} catch (error) {
		close();
		throw error;
	}
	return {
		properties: async () =>
			propertiesSchema.parse(
				await call({
					destination: raucName,
					path: '/',
					interface: 'org.freedesktop.DBus.Properties',
					member: 'GetAll',
					signature: 's',
					body: [installer],
				}),
			),
		slots: async () => slotsSchema.parse(await invoke('GetSlotStatus')).map(([name, slot]) => ({name, ...slot})),
		primary: async () => z.string().parse(await invoke('GetPrimary')),
		installBundle: async (path) => {
			await invoke('InstallBundle', 'sa{sv}', [path, {}]);
		},
		mark: async (state, slot) => {
			await invoke('Mark', 'ss', [state, slot]);
		},
		[Symbol.dispose]: close,
	};
};

const signalType = 4;

const readSignal = ({type, member, body = []}: Message, onSignal: (signal: RaucSignal) => void): void => {
	if (type !== signalType) {
		return;
	}
	if (member === 'Completed') {
		onSignal({kind: 'completed', result: Number(body[0])});
	} else if (member === 'NameOwnerChanged' && body[0] === raucName && body[2] === '') {
		onSignal({kind: 'lost', detail: 'the daemon has left the bus'});
	} else if (member === 'PropertiesChanged' && body[0] === installer) {
		const {data} = progressSchema.safeParse(body[1]);
		if (data !== undefined) {
			onSignal({kind: 'progress', percent: data.Progress[0], message: data.Progress[1]});
		}
	}
};

const lost = (detail: string): Error =>
	slotError('OTA_SLOT_DAEMON_LOST', {message: `RAUC cannot be asked: ${detail}.`, retryable: true});

const asSlotError = (error: unknown): unknown => {
	const text = errorMessage(error);
	if (/already processing/iu.test(text)) {
		return slotError('OTA_SLOT_BUSY', {message: 'RAUC is busy with another operation.', cause: error, retryable: true});
	}
	return error instanceof Error && 'dbusName' in error
		? slotError('OTA_SLOT_UNREADABLE', {message: `RAUC answers with an error: ${text}`, cause: error, retryable: true})
		: error;
};
