import type {FleetConfig} from '#appliance/config/fleet-config-schema.ts';
import type {LoadedBoxConfig} from '#appliance/config/parse-box-config.ts';
import type {ReportedFacts} from '#appliance/contract/fleet/reported-schema.ts';
import type {FleetStatus, SupervisorStatus} from '#appliance/contract/supervisor-status-schema.ts';
import type {FilterFacts} from '#appliance/filter/filter-fields.ts';
import type {BoxIdentity} from '#appliance/identity/box-identity.ts';
import type {FleetLink} from '#appliance/mqtt/fleet-link.ts';
import type {Clock} from '#appliance/time/clock.ts';
import type {Agent} from '#ota/agent/agent.ts';
import {bootedMs, readAddresses, timeZoneOf} from '#ota/member/box-facts.ts';
import {type KeptUpdate, nothingKept} from '#ota/member/kept-update.ts';
import type {OverlayKeeper} from '#ota/member/overlay-keeper.ts';
import {updateStatusOf} from '#ota/member/update-status.ts';

const reasonsMax = 16;
const reasonCharsMax = 512;
const servicesMax = 64;

/** Everything that the parts of a membership tell of themselves, as it stands at the moment. */
export type MemberState = {
	readonly config: LoadedBoxConfig<unknown> & {readonly fleet: FleetConfig};
	readonly overlay: OverlayKeeper;
	readonly clock: Clock;
	readonly bootId: string;
	readonly bootedMs: number;
	readonly release: string;
	readonly hardware: ReportedFacts['hardware'];
	supervisorStatus: () => SupervisorStatus;
	identity?: BoxIdentity;
	link?: FleetLink;
	agent?: Agent;
	kept: KeptUpdate;
	slots: ReportedFacts['slots'];
	/** Why it is not enrolled, for people. */
	reason?: string | undefined;
	connected: boolean;
	connectedSinceMs: number;
};

export const createMemberState = (
	options: Pick<MemberState, 'config' | 'overlay' | 'clock' | 'bootId' | 'release' | 'hardware'>,
): MemberState => {
	const nowMs = options.clock.nowMs();
	return {
		...options,
		bootedMs: bootedMs(nowMs, options.config.fleet.installer),
		supervisorStatus: () => {
			throw new TypeError('The supervisor does not run yet.');
		},
		kept: nothingKept,
		slots: [],
		connected: false,
		connectedSinceMs: nowMs,
	};
};

/** Notes when the connection came or went; the link itself only tells how it is. */
export const noteConnection = (state: MemberState): void => {
	const connected = state.link?.isConnected() ?? false;
	if (connected !== state.connected) {
		state.connected = connected;
		state.connectedSinceMs = state.clock.nowMs();
	}
};

export const fleetStatusOf = (state: MemberState): FleetStatus => {
	noteConnection(state);
	const update = updateStatusOf(state);
	const {revision, refused} = state.overlay.status();
	const enrolled = state.identity?.credentials() !== undefined;
	return {
		enrolled,
		connected: state.connected,
		sinceMs: state.connectedSinceMs,
		...(enrolled || state.reason === undefined ? {} : {reason: state.reason}),
		update: {
			phase: update.phase,
			...(update.release === undefined ? {} : {release: update.release}),
			...(update.reason === undefined ? {} : {reason: update.reason.message}),
		},
		overlayRevision: revision,
		...(refused === undefined ? {} : {overlayRefused: refused}),
	};
};

/** What the slot that is booted says outranks what this process believes of itself. */
const releaseOf = ({slots, release}: MemberState): string =>
	slots.find(({state}) => state === 'booted')?.release ?? release;

export const reportedFactsOf = (state: MemberState): ReportedFacts => {
	const {healthy, reasons, services} = state.supervisorStatus();
	const {revision, refused} = state.overlay.status();
	const credentials = state.identity?.credentials();
	return {
		bootId: state.bootId,
		bootedMs: state.bootedMs,
		release: releaseOf(state),
		hardware: state.hardware,
		timeZone: timeZoneOf(state.config.fleet),
		addresses: readAddresses(),
		slots: [...state.slots],
		services: services.slice(0, servicesMax).map(({name, state: serviceState, restarts, crashLoop, mustRun}) => ({
			...{name, state: serviceState, restarts, crashLoop, mustRun},
		})),
		healthy,
		reasons: reasons.slice(0, reasonsMax).map((reason) => reason.slice(0, reasonCharsMax)),
		update: updateStatusOf(state),
		config: {overlayRevision: revision, ...(refused === undefined ? {} : {refused: refused.slice(0, 2048)})},
		certificate: {serial: credentials?.serial ?? '', notAfterMs: credentials?.notAfterMs ?? 0},
	};
};

/** What orders that are addressed to a filter are matched with. */
export const filterFactsOf = (state: MemberState): FilterFacts => {
	const {box, fleet} = state.config;
	return {
		...{id: box.id, kind: box.kind, site: fleet.site, tags: fleet.tags, model: fleet.model, serial: fleet.serial},
		...{release: releaseOf(state), timeZone: timeZoneOf(fleet), presence: state.connected ? 'online' : 'offline'},
		update: updateStatusOf(state).phase,
	};
};
