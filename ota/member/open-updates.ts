import path from 'node:path';
import type {FleetLink} from '#appliance/mqtt/fleet-link.ts';
import type {Agent} from '#ota/agent/agent.ts';
import {followCarousel} from '#ota/agent/carousel/follow-carousel.ts';
import {startAgent} from '#ota/agent/start-agent.ts';
import {isAddressed, readBeforeReboot, writeBeforeReboot} from '#ota/member/before-reboot.ts';
import {timeZoneOf} from '#ota/member/box-facts.ts';
import {type BroughtRelease, openBroughtRelease} from '#ota/member/brought-release.ts';
import {confirmChecks} from '#ota/member/confirm-checks.ts';
import type {Reporter} from '#ota/member/create-reporter.ts';
import {createAgentKeeper} from '#ota/member/keep-agent.ts';
import {tlsOf} from '#ota/member/member-commands.ts';
import {openInstaller, type SignedManifest} from '#ota/member/open-installer.ts';
import type {MembershipOptions} from '#ota/member/open-membership.ts';
import {readSlots} from '#ota/member/read-slots.ts';
import {verifyRelease} from '#ota/release/verify-release.ts';
import type {SlotInstaller} from '#ota/slot/slot-installer.ts';

type UpdatesOptions = MembershipOptions & {
	readonly link: FleetLink;
	/** Undefined on a box that takes no updates. */
	readonly installer: SlotInstaller | undefined;
	readonly reporter: Pick<Reporter, 'changed'>;
	readonly signal: AbortSignal;
};

export type Updates = AsyncDisposable & {
	/**
	 * To be called when the slots can be read, at the start or whenever their installer wakes: an update that was under way goes
	 * on, and orders are taken. Once it has succeeded, another call does nothing.
	 */
	readonly begin: () => Promise<void>;
};

/** Whatever brings a box its releases: the fleet's orders, the carousel's, a stick. */
export const createUpdates = (options: UpdatesOptions): Updates => {
	const stack = new AsyncDisposableStack();
	let beginning: Promise<void> | undefined;
	return {
		begin: async () => {
			beginning ??= openUpdates(options, stack);
			try {
				await beginning;
			} catch (error) {
				beginning = undefined;
				throw error;
			}
		},
		[Symbol.asyncDispose]: async () => {
			await beginning?.catch(() => undefined);
			await stack.disposeAsync();
		},
	};
};

const openUpdates = async (options: UpdatesOptions, stack: AsyncDisposableStack): Promise<void> => {
	const {state, link, installer, supervisor, logger, signal} = options;
	const {box} = state.config;
	const brought = await openBroughtRelease({directory: path.join(box.stateDirectory, 'stick'), kind: box.kind, logger});
	const agent = installer && stack.use(await openAgent({...options, installer: noting(installer, options), brought}));
	if (agent !== undefined) {
		state.agent = agent;
		followOrders(options, agent);
	}
	if (agent !== undefined && box.kind === 'stb') {
		const roleUrl = () => supervisor.status().services.find(({name}) => name === 'stb')?.endpoints['http'];
		followCarousel({link, agent, section: state.config.role, roleUrl, logger, signal});
	}
	// The agent runs by now: what a stick brought is no reason to open it twice.
	await brought
		.offer({link, agent})
		.catch((error: unknown) => logger.warn({err: error}, 'what a stick brought is not taken'));
};

/** Undefined for a box that takes no updates. A broken installer costs updates, and nothing else. */
export const openSlots = (options: MembershipOptions): SlotInstaller | undefined => {
	const {state, release, stop, logger} = options;
	try {
		const config = state.config.fleet.installer;
		return openInstaller({config, verify: verifierOf(options), release, stop, logger});
	} catch (error) {
		logger.error({err: error}, 'this box takes no updates: its installer cannot be opened');
		return undefined;
	}
};

/** False when they cannot be read for now. */
export const awaitSlots = async (
	installer: SlotInstaller,
	{state, logger, signal}: Pick<UpdatesOptions, 'state' | 'logger' | 'signal'>,
): Promise<boolean> => {
	try {
		state.slots = (await readSlots(installer, {logger, signal})).slice();
		return true;
	} catch (error) {
		logger.error({err: error}, 'this box takes no updates before its slots can be read');
		return false;
	}
};

const followOrders = ({link, signal}: UpdatesOptions, agent: Agent): void => {
	const stop = link.onDesired(({update, expiresMs}) => {
		// A box that was away too long is told its old, kept state first. The fleet renews it under the same id, so it is
		// waited for: refused, it would count as done with.
		if (update === undefined || (expiresMs ?? Number.POSITIVE_INFINITY) > Date.now()) {
			agent.assign(update, {expiresMs});
		}
	});
	signal.addEventListener('abort', stop, {once: true});
};

/** The next boot is to know that an update ended this one, and what held here. */
const noting = (installer: SlotInstaller, {boot, directory, link, state, logger}: UpdatesOptions): SlotInstaller => ({
	...installer,
	reboot: async (asked) => {
		await boot.willReboot('update', 'into the other slot');
		const facts = {atMs: state.clock.nowMs(), addressed: isAddressed(), connected: link.isConnected()};
		await writeBeforeReboot(directory, facts, logger);
		await installer.reboot(asked);
	},
});

const openAgent = async (
	options: UpdatesOptions & {readonly installer: SlotInstaller; readonly brought: BroughtRelease},
): Promise<Agent> => {
	const {state, link, installer, brought, supervisor, directory, logger, reporter, signal} = options;
	const {box, fleet} = state.config;
	const role = () => supervisor.status().services.find(({name}) => name === box.kind);
	return await startAgent({
		stateDirectory: path.join(directory, 'update'),
		kind: box.kind,
		compatible: fleet.compatible,
		format: fleet.installer.kind === 'rauc' ? 'rauc' : 'directory',
		...{installer, bootId: state.bootId, verify: verifierOf(options), logger, signal},
		sources: {
			httpsAgent: createAgentKeeper(() => tlsOf(state), {signal}),
			...(fleet.installer.kind === 'rauc' ? {slotPaths: fleet.installer.slotPaths ?? []} : {}),
			...(box.kind === 'stb' ? {roleUrl: () => role()?.endpoints['http']} : {}),
			broughtBundle: brought.bundlePath,
		},
		checks: confirmChecks({
			...{kind: box.kind, stateDirectory: box.stateDirectory, status: supervisor.status, isConnected: link.isConnected},
			...{before: () => readBeforeReboot(directory), nowMs: state.clock.nowMs},
		}),
		tell: (status) => {
			const failed = status.phase === 'failed' || status.phase === 'rolled-back';
			link.tellEvent({kind: 'update', data: status}, failed ? 'critical' : 'info');
			brought.ended(status);
			reporter.changed();
		},
		timeZone: () => timeZoneOf(fleet),
		windows: () => link.desired()?.windows,
	});
};

const verifierOf =
	({state}: MembershipOptions) =>
	(signed: SignedManifest) =>
		verifyRelease({...signed, releaseCaPem: state.identity?.claim.releaseCaPem ?? ''});
