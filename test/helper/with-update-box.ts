import {access, mkdtemp, rm} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import type {ExecutionContext} from 'ava';
import type {UpdateOrder} from '#appliance/contract/fleet/order-schema.ts';
import {finalUpdatePhases, type UpdateStatus} from '#appliance/contract/fleet/update-schema.ts';
import {silentLogger} from '#appliance/log/logger.ts';
import type {Clock} from '#appliance/time/clock.ts';
import {sleep} from '#appliance/time/sleep.ts';
import type {Agent} from '#ota/agent/agent.ts';
import {type AgentStore, openAgentStore} from '#ota/agent/agent-store.ts';
import type {ConfirmCheck} from '#ota/agent/check/run-checks.ts';
import type {OrderOrigin} from '#ota/agent/order-origin.ts';
import {startAgent} from '#ota/agent/start-agent.ts';
import {readBootRecord} from '#ota/slot/directory/boot-record.ts';
import {bootSlot} from '#ota/slot/directory/boot-slot.ts';
import {createDirectoryInstaller, provisionSlots} from '#ota/slot/directory/directory-installer.ts';
import type {FaultPoint} from '#ota/slot/directory/fault-point.ts';
import type {SlotInstaller} from '#ota/slot/slot-installer.ts';
import {type SampleOrder, sampleBundle, sampleOrder, sampleVerify} from '#test/helper/sample-update.ts';
import {type RoleServe, withRoleServe} from '#test/helper/with-role-serve.ts';

/** A step that reaches the disk; a test may let it fail, hang, or take the power away before or after it. */
export type Step =
	| FaultPoint
	| `store-${'state' | 'told' | 'progress' | 'kept' | 'forget'}`
	| `${keyof SlotInstaller & string}`;
export type StepContext = {readonly step: Step; readonly when: 'before' | 'after'; readonly bootedSlot: string};

export type UpdateBoxOptions = {
	readonly release?: string;
	readonly checks?: (bootedSlot: string) => readonly ConfirmCheck[];
	/** Called around each step. */
	readonly onStep?: (context: StepContext, box: UpdateBox) => 'hang' | undefined;
	/** The new slot's software dies at once, so often as this answers true. */
	readonly diesAtStart?: (bootedSlot: string) => boolean;
	readonly clock?: Clock;
	readonly timeZone?: string;
	/** For one call of the installer that is no installation; short only where such a call hangs. */
	readonly slotTimeoutMs?: number;
	readonly onTell?: (status: UpdateStatus, box: UpdateBox) => void;
};

export type UpdateOutcome = {
	readonly phase: string;
	readonly code: string | undefined;
	readonly slot: string;
	readonly release: string | undefined;
	/** Reboots that the agent ordered. */
	readonly reboots: number;
	readonly boots: number;
	readonly status: UpdateStatus;
};

export type UpdateBox = {
	readonly root: string;
	readonly serve: RoleServe;
	readonly order: UpdateOrder;
	readonly told: UpdateStatus[];
	readonly agent: () => Agent | undefined;
	/** Nothing more reaches the disk or anybody until the next boot. */
	readonly cutPower: () => never;
	/** The process is killed; the machine goes on. */
	readonly killAgent: () => never;
	readonly makeOrder: (edits?: Omit<SampleOrder, 'bytes'>) => UpdateOrder;
	/** Boots and goes on booting until the order has ended. */
	readonly run: (
		order?: UpdateOrder | undefined,
		options?: {readonly bootsMax?: number; readonly origin?: 'fleet' | 'carousel'},
	) => Promise<UpdateOutcome>;
};

/** A call that is late may end the order for good, so that on a busy machine too none is late but one that hangs. */
const limits = {retryInitialMs: 2, retryMaxMs: 5, slotTimeoutMs: 15_000, waitMaxMs: 20, roomReserveBytes: 0};

class PowerLoss extends Error {}
const never = async (): Promise<never> => await new Promise(() => undefined);

/** A box with a real agent, a real database and the real development installer, whose power and processes a test may cut. */
export const withUpdateBox = async (t: ExecutionContext, options: UpdateBoxOptions = {}): Promise<UpdateBox> => {
	const root = await withMemoryDirectory(t);
	const slotsRoot = join(root, 'slots');
	const bytes = await sampleBundle('2.0.0');
	const serve = await withRoleServe(t, bytes);
	const order = sampleOrder({bytes});
	const told: UpdateStatus[] = [];
	await provisionSlots({root: slotsRoot, release: options.release ?? '1.0.0', signal: AbortSignal.timeout(10_000)});
	let [reboots, boots, machineBoots] = [0, 0, 0];
	let life:
		| {readonly stop: AbortController; ended: PromiseWithResolvers<'power' | 'killed' | 'rebooted' | 'done'>}
		| undefined;
	let bootedSlot = 'slot-a';
	let agent: Agent | undefined;

	const end = (how: 'power' | 'killed'): never => {
		life?.ended.resolve(how);
		life?.stop.abort(new PowerLoss(how));
		throw new PowerLoss(how);
	};
	const box: UpdateBox = {
		root,
		serve,
		order,
		told,
		agent: () => agent,
		cutPower: () => end('power'),
		killAgent: () => end('killed'),
		makeOrder: (edits) => sampleOrder({bytes, ...edits}),
		run: async (given = order, {bootsMax = 14, origin = 'fleet'} = {}) => await runBox(given, bootsMax, origin),
	};
	const dead = (): boolean => life?.stop.signal.aborted ?? false;
	const around = async <Result>(step: Step, work: () => Promise<Result>): Promise<Result> => {
		if (dead() || options.onStep?.({step, when: 'before', bootedSlot}, box) === 'hang') {
			return await never();
		}
		const result = await work();
		options.onStep?.({step, when: 'after', bootedSlot}, box);
		return result;
	};
	const aroundSync = <Result>(step: Step, work: () => Result): Result => {
		if (dead()) {
			throw new PowerLoss('dead');
		}
		options.onStep?.({step, when: 'before', bootedSlot}, box);
		const result = work();
		options.onStep?.({step, when: 'after', bootedSlot}, box);
		return result;
	};
	const wrapStore = (store: AgentStore): AgentStore => ({
		...store,
		writeState: (state, news) => aroundSync('store-state', () => store.writeState(state, news)),
		markTold: () => aroundSync('store-told', () => store.markTold()),
		writeProgress: (progress) => aroundSync('store-progress', () => store.writeProgress(progress)),
		writeKept: (kept) => aroundSync('store-kept', () => store.writeKept(kept)),
		forgetFinished: (origin, wanted) => aroundSync('store-forget', () => store.forgetFinished(origin, wanted)),
		[Symbol.dispose]: () => store[Symbol.dispose](),
	});
	const fault = async (step: FaultPoint): Promise<void> => await around(step, async () => undefined);
	const wrapInstaller = (installer: SlotInstaller): SlotInstaller => ({
		...installer,
		install: async (...args) => await around('install', async () => await installer.install(...args)),
		bootVerdict: async (...args) => await around('bootVerdict', async () => await installer.bootVerdict(...args)),
		markGood: async (...args) => await around('markGood', async () => await installer.markGood(...args)),
		markBad: async (...args) => await around('markBad', async () => await installer.markBad(...args)),
		cancel: async (...args) => await around('cancel', async () => await installer.cancel(...args)),
		reboot: async (...args) => await around('reboot', async () => await installer.reboot(...args)),
	});

	const live = async (
		given: UpdateOrder | undefined,
		ended: NonNullable<typeof life>,
		origin: OrderOrigin,
	): Promise<void> => {
		const installer = createDirectoryInstaller({
			root: slotsRoot,
			verify: sampleVerify,
			reboot: () => {
				reboots += 1;
				ended.ended.resolve('rebooted');
			},
			fault,
			logger: silentLogger(),
		});
		agent = await startAgent({
			stateDirectory: join(root, 'agent'),
			kind: 'stb',
			compatible: 'bench',
			format: 'directory',
			installer: wrapInstaller(installer),
			verify: sampleVerify,
			sources: {httpsAgent: () => undefined, roleUrl: () => serve.url},
			checks: options.checks?.(bootedSlot) ?? [],
			tell: (status) => {
				if (!dead()) {
					told.push(status);
					options.onTell?.(status, box);
					if (finalUpdatePhases.includes(status.phase as never) && status.orderId === given?.orderId) {
						ended.ended.resolve('done');
					}
				}
			},
			bootId: `boot-${machineBoots}`,
			timeZone: () => options.timeZone ?? 'UTC',
			limits: {...limits, slotTimeoutMs: options.slotTimeoutMs ?? limits.slotTimeoutMs},
			openStore: (path) => wrapStore(openAgentStore(path)),
			...(options.clock === undefined ? {} : {clock: options.clock}),
			logger: silentLogger(),
			signal: ended.stop.signal,
		});
		agent.assign(given, {origin});
	};

	const runBox = async (
		given: UpdateOrder | undefined,
		bootsMax: number,
		origin: OrderOrigin,
	): Promise<UpdateOutcome> => {
		[reboots, boots] = [0, 0];
		let how: string = 'power';
		while (how !== 'done' && boots < bootsMax) {
			const stop = new AbortController();
			life = {stop, ended: Promise.withResolvers()};
			boots += 1;
			try {
				if (how !== 'killed') {
					machineBoots += 1;
					({slot: bootedSlot} = await bootSlot({root: slotsRoot, fault}));
				}
				if (options.diesAtStart?.(bootedSlot) === true) {
					continue;
				}
				await live(given, life, origin);
			} catch (error) {
				if (!(error instanceof PowerLoss)) {
					throw error;
				}
			}
			how = await Promise.race([life.ended.promise, sleep(20_000).then(() => 'stuck')]);
			if (how === 'done') {
				await sleep(5);
			}
			stop.abort(new DOMException('off', 'AbortError'));
			await disposeQuietly(agent);
			agent = undefined;
			if (how === 'stuck') {
				throw new Error(`stuck in ${JSON.stringify(told.at(-1))}`);
			}
		}
		const record = await readBootRecord(slotsRoot);
		const status = told.at(-1) ?? {phase: 'idle', sinceMs: 0};
		const {phase, reason} = status;
		return {
			phase,
			code: reason?.code,
			slot: record.booted,
			release: record.slots[record.booted].release,
			reboots,
			boots,
			status,
		};
	};
	return box;
};

const disposeQuietly = async (agent: Agent | undefined): Promise<void> => {
	try {
		await agent?.[Symbol.asyncDispose]();
	} catch (error) {
		if (!(error instanceof PowerLoss)) {
			throw error;
		}
	}
};

/** A test that cuts the power hundreds of times does not wait for a disk; what is cut is cut between writes all the same. */
const withMemoryDirectory = async (t: ExecutionContext): Promise<string> => {
	const memory = '/dev/shm';
	const base = await access(memory).then(
		() => memory,
		() => tmpdir(),
	);
	const directory = await mkdtemp(join(base, 'streamverse-'));
	t.teardown(async () => await rm(directory, {recursive: true, force: true}));
	return directory;
};
