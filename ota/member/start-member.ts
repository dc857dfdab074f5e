import {mkdir} from 'node:fs/promises';
import path from 'node:path';
import type {z} from 'zod';
import type {BoxKind} from '#appliance/contract/box-schema.ts';
import type {SystemHelpers} from '#appliance/diagnostics/system-helpers.ts';
import {errorMessage} from '#appliance/error/coded-error.ts';
import {identityDirectoryOf} from '#appliance/identity/identity-files.ts';
import {readStateLost} from '#appliance/store/state-lost.ts';
import type {MemberHookOptions, SupervisedMember} from '#appliance/supervisor/member-hook.ts';
import {systemClock} from '#appliance/time/clock.ts';
import {sleep} from '#appliance/time/sleep.ts';
import {type BootRecord, openBootRecord} from '#ota/member/boot-cause.ts';
import {readBootedSlot} from '#ota/member/booted-slot.ts';
import {readBootId, readHardware} from '#ota/member/box-facts.ts';
import {guardTrial} from '#ota/member/guard-trial.ts';
import {keepBootedSlot} from '#ota/member/keep-booted-slot.ts';
import {lookAtUpdate} from '#ota/member/kept-update.ts';
import {createMemberState, fleetStatusOf, type MemberState} from '#ota/member/member-state.ts';
import type {Membership} from '#ota/member/open-membership.ts';
import {OverlayKeeper} from '#ota/member/overlay-keeper.ts';
import {rebootMachine} from '#ota/member/reboot-machine.ts';

/** How often it is looked whether somebody brought a claim, or mended what kept the box from its fleet. */
const retryMs = 30_000;

export type StartMemberOptions = MemberHookOptions & {
	readonly sectionSchemaOf: (kind: BoxKind) => z.ZodType | undefined;
	/** Where the supervisor may not look into the box by itself. */
	readonly helpers?: SystemHelpers;
	readonly retryMs?: number;
	/** Where the initrd has left its notes of this boot. */
	readonly runDirectory?: string;
	readonly rebootMachine?: () => Promise<void>;
	readonly trialMarginMs?: number;
};

/**
 * A box's part in its fleet: certificate, link, updates, configuration, telemetry and diagnostics. None of it is a
 * condition of the picture: whatever fails here is told, tried again, and never waited for by the role.
 */
export const startMember = async (options: StartMemberOptions): Promise<SupervisedMember> => {
	const {config, boxFilePath, sectionSchemaOf, release} = options;
	const {fleet} = config;
	if (fleet === undefined) {
		throw new TypeError('A box without a section fleet is a member of none.');
	}
	const logger = options.logger.child({component: 'member'});
	const directory = identityDirectoryOf(config.box.stateDirectory);
	await mkdir(directory, {recursive: true, mode: 0o700});
	const overlay = new OverlayKeeper({directory, boxFilePath, config, sectionSchemaOf, logger});
	await overlay.open();
	const bootId = await readBootId(fleet.installer);
	const boot = await openBootRecord({directory, bootId, release, logger});
	const hardware = await readHardware(fleet, config.box.stateDirectory);
	const state = createMemberState({config: {...config, fleet}, overlay, clock: systemClock, bootId, release, hardware});
	const stop = new AbortController();
	const signal = AbortSignal.any([options.signal, stop.signal]);
	let membership: Membership | undefined;
	let attached: Promise<void> = Promise.resolve();
	let kept: Promise<unknown> = Promise.resolve();
	return {
		roleFile: () => overlay.roleFile(),
		fleetStatus: () => fleetStatusOf(state),
		onStatus: (status) => membership?.onStatus(status),
		onPlayback: (report) => membership?.onPlayback(report),
		tellCommissioned: (report) => {
			state.link?.tellEvent({kind: 'commissioned', data: report}, 'info');
			return state.link !== undefined;
		},
		attach: (supervisor) => {
			state.supervisorStatus = supervisor.status;
			kept = judgeBoot({...options, directory, state, boot, logger, signal}).catch((error: unknown) => {
				if (!signal.aborted) {
					logger.error({err: error}, 'this boot is not looked after');
				}
			});
			const open = async () => {
				// Half of what a supervisor loads, and nothing that the role waits for.
				const {openMembership} = await import('#ota/member/open-membership.ts');
				return await openMembership({...options, logger, directory, state, boot, supervisor, signal});
			};
			attached = keepTrying({open, state, signal, logger, retryMs: options.retryMs ?? retryMs}).then((opened) => {
				membership = opened;
			});
		},
		[Symbol.asyncDispose]: async () => {
			stop.abort(new DOMException('the member is stopped', 'AbortError'));
			await attached;
			await kept;
			await membership?.[Symbol.asyncDispose]();
			await boot.stopped();
		},
	};
};

/** Whether the slot that runs stays: at once, when its update says so, or not at all. */
const judgeBoot = async (
	options: StartMemberOptions & {readonly directory: string; readonly state: MemberState; readonly boot: BootRecord},
): Promise<void> => {
	const {state, boot, runDirectory, logger, signal} = options;
	const {installer} = state.config.fleet;
	const stateLost = readStateLost(runDirectory);
	const directory = path.join(options.directory, 'update');
	const kept = lookAtUpdate({directory, stateLost, bootId: state.bootId, logger});
	state.kept = kept;
	const bootedSlot = await readBootedSlot(runDirectory);
	const verdict = await keepBootedSlot({installer, kept, bootedSlot, logger, signal});
	if (verdict === 'on-trial' || verdict === 'unknown') {
		await guardTrial({
			...{kept, directory, stateLost, boot, logger, signal, marginMs: options.trialMarginMs},
			booted: () => bootedSlot ?? state.slots.find((slot) => slot.state === 'booted')?.name,
			reboot: options.rebootMachine ?? rebootMachine,
		});
	}
};

const keepTrying = async (options: {
	readonly open: () => Promise<Membership>;
	readonly state: MemberState;
	readonly signal: AbortSignal;
	readonly logger: MemberHookOptions['logger'];
	readonly retryMs: number;
}): Promise<Membership | undefined> => {
	const {open, state, signal, logger} = options;
	while (!signal.aborted) {
		try {
			const membership = await open();
			state.reason = undefined;
			return membership;
		} catch (error) {
			const reason = errorMessage(error).slice(0, 1024);
			if (reason !== state.reason) {
				logger.warn({err: error}, 'this box cannot reach its fleet yet');
			}
			state.reason = reason;
			await sleep(options.retryMs, {signal}).catch(() => undefined);
		}
	}
	return undefined;
};
