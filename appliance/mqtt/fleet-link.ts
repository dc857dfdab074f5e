import type {DeviceId} from '#appliance/contract/box-schema.ts';
import type {CommandArguments, CommandName} from '#appliance/contract/fleet/command-schema.ts';
import type {MaintenanceWindow, UpdateOrder} from '#appliance/contract/fleet/order-schema.ts';
import type {Reason} from '#appliance/contract/fleet/release-schema.ts';
import type {ReportedFacts} from '#appliance/contract/fleet/reported-schema.ts';
import type {BoxEvent, severities, TelemetrySample} from '#appliance/contract/fleet/spool-schema.ts';
import type {StreamFrame} from '#appliance/contract/fleet/stream-schema.ts';

/** What the fleet wants of this box: verified, of a growing revision, and on disk before anybody hears of it. */
export type DesiredState = {
	readonly revision: number;
	readonly update: UpdateOrder | undefined;
	/** After this its update is not to be begun; the fleet sends a newer order long before. */
	readonly expiresMs: number | undefined;
	readonly config: Readonly<Record<string, unknown>>;
	readonly windows: readonly MaintenanceWindow[] | undefined;
};

/** An update order that came by the carousel, verified and on disk before anybody hears of it. */
export type CarouselUpdate = {
	readonly revision: number;
	readonly update: UpdateOrder;
	/** After this it is not to be begun. */
	readonly expiresMs: number;
};

/** A command whose order was verified, and whose arguments were parsed by the schema of its name. */
export type ReceivedCommand = {
	[Name in CommandName]: {
		readonly id: string;
		readonly name: Name;
		readonly arguments: CommandArguments<Name>;
		readonly deadlineMs: number;
		/** The order itself, for whoever verifies it again; undefined after a restart in between. */
		readonly order?: string | undefined;
	};
}[CommandName];

export type CommandOutcome =
	| {readonly kind: 'done'; readonly result?: unknown}
	| {readonly kind: 'failed'; readonly error: Reason};

/** Answers once; `progress` may be told before. Runs at most once per command id, even when it is delivered again. */
export type CommandHandler = (
	command: ReceivedCommand,
	options: {readonly signal: AbortSignal; readonly progress: (fraction: number) => void},
) => Promise<CommandOutcome>;

export type FrameChannel = Disposable & {
	readonly send: (frame: StreamFrame) => void;
};

/**
 * A box's side of the link to its fleet. It is always there, connected or not: what is told is kept (state) or spooled
 * (events, telemetry), and goes when it can.
 */
export type FleetLink = AsyncDisposable & {
	readonly deviceId: DeviceId;
	readonly isConnected: () => boolean;
	/** On disk when it returns. Never lost within the spool's bound. */
	readonly tellEvent: (event: BoxEvent, severity?: (typeof severities)[number]) => void;
	/** On disk when it returns; the oldest goes when the spool is full. */
	readonly tellTelemetry: (samples: readonly TelemetrySample[]) => void;
	/** Published when it differs from what the fleet has. */
	readonly report: (facts: ReportedFacts) => void;
	/** The last desired state kept; undefined before the first. */
	readonly desired: () => DesiredState | undefined;
	/** Called with the kept state at once if there is one, and after each newer one. Answers how to stop. */
	readonly onDesired: (listener: (desired: DesiredState) => void) => () => void;
	/** The rotations from the claim's key to the one that orders are signed with now, as the fleet told them last. */
	readonly keyChain: () => readonly string[];
	/**
	 * Verifies what the carousel brought (walking its key chain first), keeps the newest update order that is for this box,
	 * and tells what is wrong with others as events. The same orders again change nothing.
	 */
	readonly takeCarouselOrders: (orders: {
		readonly keyChain: readonly string[];
		readonly orders: readonly string[];
	}) => Promise<void>;
	/** As `onDesired`. Of this and `desired().update` the one with the greater revision is meant. */
	readonly onCarouselUpdate: (listener: (update: CarouselUpdate) => void) => () => void;
	readonly handleCommands: (handler: CommandHandler) => void;
	/** Frames of one stream; the channel outlives the connection. */
	readonly openChannel: (streamId: string, onFrame: (frame: StreamFrame) => void) => FrameChannel;
	/** Called at each connection, for what must be said anew. */
	readonly onConnected: (listener: () => void) => () => void;
};
