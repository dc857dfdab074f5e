import type {PlaybackReport} from '#appliance/contract/playback-report.ts';
import type {SupervisorStatus} from '#appliance/contract/supervisor-status-schema.ts';
import {createCommandHandler} from '#appliance/diagnostics/command/handle-commands.ts';
import {runSampler} from '#appliance/diagnostics/probe/run-sampler.ts';
import type {SystemHelpers} from '#appliance/diagnostics/system-helpers.ts';
import {errorMessage} from '#appliance/error/coded-error.ts';
import type {BoxIdentity} from '#appliance/identity/box-identity.ts';
import {startIdentity} from '#appliance/identity/start-identity.ts';
import type {FleetLink} from '#appliance/mqtt/fleet-link.ts';
import {startFleetLink} from '#appliance/mqtt/start-fleet-link.ts';
import type {MemberHookOptions} from '#appliance/supervisor/member-hook.ts';
import type {RunningSupervisor} from '#appliance/supervisor/start-supervisor.ts';
import {isActive} from '#ota/agent/update-state.ts';
import type {BootRecord} from '#ota/member/boot-cause.ts';
import {createReporter, type Reporter} from '#ota/member/create-reporter.ts';
import {memberCommands} from '#ota/member/member-commands.ts';
import {BoxSecrets} from '#ota/member/member-secrets.ts';
import {filterFactsOf, type MemberState} from '#ota/member/member-state.ts';
import {memberStreams} from '#ota/member/member-streams.ts';
import {awaitSlots, createUpdates, openSlots} from '#ota/member/open-updates.ts';
import {slotsTimeoutMs} from '#ota/member/read-slots.ts';
import {createReboot} from '#ota/member/reboot-box.ts';
import {reconfigureRole} from '#ota/member/reconfigure-role.ts';
import {serviceEvents} from '#ota/member/service-events.ts';
import {createTryRole} from '#ota/member/try-role.ts';
import type {SlotInstaller} from '#ota/slot/slot-installer.ts';

const steadyMs = 3000;
/** Players' reports that are passed on in a minute at most: what a home can do to its box's spool. */
const playbackPerMinuteMax = 30;

export type MembershipOptions = MemberHookOptions & {
	readonly directory: string;
	readonly helpers?: SystemHelpers | undefined;
	readonly state: MemberState;
	readonly boot: BootRecord;
	readonly supervisor: RunningSupervisor;
};

export type Membership = AsyncDisposable & {
	readonly onStatus: (status: SupervisorStatus) => void;
	readonly onPlayback: (report: PlaybackReport) => void;
};

/** Opens everything that needs a claim. It works from then on, connected or not. */
export const openMembership = async (options: MembershipOptions): Promise<Membership> => {
	const {state, directory, logger} = options;
	const {box, fleet} = state.config;
	await using stack = new AsyncDisposableStack();
	const ended = new AbortController();
	const signal = AbortSignal.any([options.signal, ended.signal]);
	const identity = stack.use(await startIdentity({directory, claimFile: fleet.claimFile, deviceId: box.id, logger}));
	const link = stack.use(
		await startFleetLink({
			...{directory, identity, kind: box.kind, bootId: state.bootId, logger},
			facts: () => filterFactsOf(state),
		}),
	);
	Object.assign(state, {identity, link});
	const secrets = await openSecrets(options, {identity, link, stack});
	const installer = openSlots(options);
	if (installer !== undefined) {
		stack.use(installer);
	}
	const isSilent = installer !== undefined && !(await awaitSlots(installer, {state, logger, signal}));
	await tellBoot({...options, link, installer: isSilent ? undefined : installer, signal});
	const reporter: Reporter = stack.use(
		createReporter({...{state, link, installer, logger, signal}, onSlots: () => updates.begin()}),
	);
	stack.defer(identity.onCredentials(reporter.changed));
	const updates = stack.use(createUpdates({...options, link, installer, reporter, signal}));
	// An update that was under way is gone on with also where nobody tells what runs: on trial the agent goes back by itself.
	if (!isSilent || (state.kept.state !== undefined && isActive(state.kept.state))) {
		await updates.begin();
	}
	reporter.start();
	// What follows ends with the signal, also when something after it cannot be opened.
	stack.defer(() => ended.abort(new DOMException('the member is stopped', 'AbortError')));
	followConfiguration({...options, link, reporter, signal});
	answerCommands({...options, link, installer, secrets, stack, signal});
	void sampleBox({state, link, logger, signal});
	const resources = stack.move();
	return {...createTellers(options, link, reporter), [Symbol.asyncDispose]: () => resources.disposeAsync()};
};

/** Before the fleet's configuration is taken: the first line that tells of it must not tell its secrets. */
const openSecrets = async (
	{state, directory, boxFilePath, logger}: MembershipOptions,
	parts: {readonly identity: BoxIdentity; readonly link: FleetLink; readonly stack: AsyncDisposableStack},
): Promise<BoxSecrets> => {
	const {identity, link, stack} = parts;
	const {claimFile} = state.config.fleet;
	const secrets = new BoxSecrets({directory, boxFilePath, claimFile, config: () => state.overlay.config(), logger});
	await secrets.readFiles();
	stack.defer(identity.onCredentials(({keyPem}) => secrets.noteKey(keyPem)));
	stack.defer(link.onDesired(({config}) => secrets.noteStructure(config)));
	return secrets;
};

/** A slot that fell back outranks what this process knows of its last end. */
const tellBoot = async (
	options: MembershipOptions & {readonly link: FleetLink; readonly installer: SlotInstaller | undefined},
): Promise<void> => {
	const {boot, link, installer, logger} = options;
	const event = boot.event();
	if (event !== undefined) {
		const limit = AbortSignal.any([options.signal, AbortSignal.timeout(slotsTimeoutMs)]);
		const verdict = await installer?.bootVerdict({signal: limit}).catch((error: unknown) => {
			logger.warn({err: error}, 'the installer does not say why this slot was booted');
			return undefined;
		});
		const {data} = event;
		// RAUC holds a fallback for one until the next installation, over many boots.
		const told = boot.mayBeFallback ? verdict?.fallback : undefined;
		const fallback = told && {cause: 'fallback' as const, detail: told.detail.slice(0, 2048)};
		const isBad = fallback !== undefined || data.cause === 'panic' || data.cause === 'watchdog';
		link.tellEvent({kind: 'boot', data: {...data, ...fallback}}, isBad ? 'warning' : 'info');
	}
	await boot.told();
};

type Linked = MembershipOptions & {readonly link: FleetLink; readonly reporter: Reporter};

const tryRoleOf = ({state, supervisor, signal}: Pick<MembershipOptions, 'state' | 'supervisor' | 'signal'>) =>
	createTryRole({
		status: supervisor.status,
		reconfigure: () => reconfigureRole({state, supervisor, signal}),
		restart: (why) => supervisor.service(state.config.box.kind)?.restart(why),
		startTimeoutMs: state.config.supervisor.startTimeoutMs,
		steadyMs,
		signal,
	});

const followConfiguration = (options: Linked): void => {
	const {state, link, logger, reporter, signal} = options;
	const tryRole = tryRoleOf(options);
	const stop = link.onDesired(({revision, config}) => {
		void state.overlay
			.take(revision, config, tryRole)
			.catch((error: unknown) => logger.error({err: error}, 'the fleet’s configuration was not decided'))
			.finally(reporter.changed);
	});
	signal.addEventListener('abort', stop, {once: true});
};

const answerCommands = (
	options: MembershipOptions & {
		readonly link: FleetLink;
		readonly installer: SlotInstaller | undefined;
		readonly secrets: BoxSecrets;
		readonly stack: AsyncDisposableStack;
	},
): void => {
	const {link, installer, boot, logger, signal, stack} = options;
	const streams = stack.use(memberStreams(options));
	const reboot = createReboot({installer, boot, logger, signal});
	const targets = memberCommands({...options, tryRole: tryRoleOf(options), reboot, streams});
	link.handleCommands(createCommandHandler(targets, logger));
};

const sampleBox = async (options: Pick<Linked, 'state' | 'link' | 'logger' | 'signal'>): Promise<void> => {
	const {state, link, logger, signal} = options;
	const {box, fleet} = state.config;
	await runSampler({
		...{intervalMs: fleet.sampleIntervalMs, stateDirectory: box.stateDirectory, status: state.supervisorStatus},
		...{logger, signal},
		tellSample: (sample) => link.tellTelemetry([sample]),
		tellAlarm: (change) => link.tellEvent({kind: 'alarm', data: change}, change.raised ? 'warning' : 'info'),
	}).catch((error: unknown) => logger.error({err: error, reason: errorMessage(error)}, 'the box is not measured'));
};

const createTellers = (
	{state}: MembershipOptions,
	link: FleetLink,
	reporter: Reporter,
): Pick<Membership, 'onStatus' | 'onPlayback'> => {
	let before = state.supervisorStatus().services;
	let minute = 0;
	let inMinute = 0;
	return {
		onStatus: ({services}) => {
			for (const event of serviceEvents(before, services)) {
				link.tellEvent(event, event.data.state === 'recovered' ? 'info' : 'warning');
			}
			before = services;
			reporter.changed();
		},
		onPlayback: (report) => {
			const now = Math.floor(state.clock.monotonicMs() / 60_000);
			inMinute = now === minute ? inMinute + 1 : 1;
			minute = now;
			if (inMinute <= playbackPerMinuteMax) {
				link.tellEvent({kind: 'qoe', data: JSON.parse(JSON.stringify(report)) as Record<string, never>});
			}
		},
	};
};
