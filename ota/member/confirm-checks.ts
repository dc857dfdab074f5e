import {randomUUID} from 'node:crypto';
import {open, rm} from 'node:fs/promises';
import path from 'node:path';
import type {BoxKind} from '#appliance/contract/box-schema.ts';
import type {SupervisorStatus} from '#appliance/contract/supervisor-status-schema.ts';
import {readFirewallFault} from '#appliance/supervisor/firewall-fault.ts';
import type {ConfirmCheck} from '#ota/agent/check/run-checks.ts';
import {type BeforeReboot, isAddressed} from '#ota/member/before-reboot.ts';

const steadyMs = 3000;
const roleGraceMs = 300_000;
const diskGraceMs = 60_000;
const firewallGraceMs = 0;
const pictureGraceMs = 300_000;
const cloudGraceMs = 600_000;
const networkGraceMs = 180_000;
/** For a clock that is set while the box starts. */
const clockGraceMs = 180_000;
/** How far a clock that was right may seem to have gone over a reboot, or a time without power in the midst of it. */
const clockBackMaxMs = 10 * 60_000;
const clockAheadMaxMs = 30 * 86_400_000;

const statusPath: Readonly<Record<BoxKind, string>> = {stb: '/box/status', headend: '/status', 'pop-node': '/status'};

/**
 * What must hold for a slot that was booted to stay. All of it is local: a satellite site loses its uplink in the rain,
 * and must not fall back for it.
 */
export const confirmChecks = (options: {
	readonly kind: BoxKind;
	readonly stateDirectory: string;
	readonly status: () => SupervisorStatus;
	readonly isConnected: () => boolean;
	/** Undefined when nothing was noted: then nothing is expected. */
	readonly before: () => Promise<BeforeReboot | undefined>;
	readonly nowMs: () => number;
	readonly isAddressed?: () => boolean;
	readonly firewallFault?: () => string | undefined;
}): readonly ConfirmCheck[] => {
	const {kind, status, firewallFault = readFirewallFault} = options;
	const hasAddress = options.isAddressed ?? isAddressed;
	const role = () => status().services.find(({name}) => name === kind);
	return [
		{
			...{name: 'role', weight: 'must', graceMs: roleGraceMs},
			check: () => {
				const {state = 'stopped', sinceMs = 0, lastFailure} = role() ?? {};
				const runsMs = state === 'running' ? status().nowMs - sinceMs : 0;
				return refuseUnless(runsMs >= steadyMs, `${kind} is ${state}${lastFailure ? `; it ${lastFailure.text}` : ''}`);
			},
		},
		{
			...{name: 'disk', weight: 'must', graceMs: diskGraceMs},
			check: () => writeProbe(options.stateDirectory),
		},
		{
			// A box without a network is updated by the satellite or a stick; one that had a network is to keep it.
			...{name: 'network', weight: 'must', graceMs: networkGraceMs},
			check: async () => {
				const hadOne = (await options.before())?.addressed === true;
				await refuseUnless(!hadOne || hasAddress(), 'the box has no address, and had one before it was updated');
			},
		},
		{
			...{name: 'clock', weight: 'must', graceMs: clockGraceMs},
			check: async () => await refuseFarClock(await options.before(), options.nowMs()),
		},
		{
			// It is loaded before there is a network, or not in this boot.
			...{name: 'firewall', weight: 'must', graceMs: firewallGraceMs},
			check: () => {
				const fault = firewallFault();
				return refuseUnless(fault === undefined, fault ?? '');
			},
		},
		{
			...{name: 'picture', weight: 'quorum', graceMs: pictureGraceMs},
			check: async ({signal}) => {
				const base = role()?.endpoints['http'];
				await refuseUnless(base !== undefined, `${kind} does not serve`);
				const answer = await fetch(new URL(statusPath[kind], base), {signal});
				await answer.body?.cancel();
				await refuseUnless(answer.status < 500, `${kind} answers ${answer.status}`);
			},
		},
		{
			...{name: 'cloud', weight: 'optional', graceMs: cloudGraceMs},
			check: () => refuseUnless(options.isConnected(), 'the fleet is not reached'),
		},
	];
};

const refuseUnless = (holds: boolean, why: string): Promise<void> =>
	holds ? Promise.resolve() : Promise.reject(new Error(why));

/** A clock that is far off makes every certificate invalid, and the box one that nobody reaches. */
const refuseFarClock = async (before: BeforeReboot | undefined, nowMs: number): Promise<void> => {
	if (before?.connected !== true) {
		return;
	}
	const aheadMs = nowMs - before.atMs;
	const [now, then] = [nowMs, before.atMs].map((ms) => new Date(ms).toISOString());
	const why = `the clock says ${now}, and the box left its old slot at ${then}`;
	await refuseUnless(aheadMs >= -clockBackMaxMs && aheadMs <= clockAheadMaxMs, why);
};

/** What the box keeps must be writable, and reach the medium. */
const writeProbe = async (directory: string): Promise<void> => {
	const filePath = path.join(directory, `.probe-${randomUUID()}`);
	try {
		await using file = await open(filePath, 'wx', 0o600);
		await file.writeFile('probe');
		await file.sync();
	} finally {
		await rm(filePath, {force: true});
	}
};
