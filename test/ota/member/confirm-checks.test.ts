import test, {type ExecutionContext} from 'ava';
import type {SupervisorStatus} from '#appliance/contract/supervisor-status-schema.ts';
import type {BeforeReboot} from '#ota/member/before-reboot.ts';
import {confirmChecks} from '#ota/member/confirm-checks.ts';
import {withDirectory} from '#test/helper/with-directory.ts';

const rebootedMs = Date.UTC(2026, 5, 1);
const minuteMs = 60_000;
const dayMs = 86_400_000;
const known: BeforeReboot = {version: 1, atMs: rebootedMs, addressed: true, connected: true};

const ask = async (
	t: ExecutionContext,
	name: 'network' | 'clock' | 'firewall',
	{
		before,
		nowMs = rebootedMs + minuteMs,
		addressed = true,
		firewallFault,
	}: {
		readonly before?: BeforeReboot;
		readonly nowMs?: number;
		readonly addressed?: boolean;
		readonly firewallFault?: string;
	},
): Promise<string | undefined> => {
	const checks = confirmChecks({
		...{kind: 'stb', stateDirectory: await withDirectory(t), isConnected: () => false},
		status: () => ({services: [], nowMs: 0}) as unknown as SupervisorStatus,
		...{before: async () => await Promise.resolve(before), nowMs: () => nowMs, isAddressed: () => addressed},
		firewallFault: () => firewallFault,
	});
	const check = checks.find((each) => each.name === name);
	t.is(check?.weight, 'must');
	try {
		await check?.check({signal: AbortSignal.timeout(minuteMs)});
		return undefined;
	} catch (error) {
		return String(error);
	}
};

test('a box that had an address must have one again, and of one that had none nothing is asked', async (t) => {
	t.is(await ask(t, 'network', {before: known}), undefined);
	t.regex((await ask(t, 'network', {before: known, addressed: false})) ?? '', /no address, and had one/u);
	t.is(await ask(t, 'network', {before: {...known, addressed: false}, addressed: false}), undefined);
	t.is(await ask(t, 'network', {addressed: false}), undefined);
});

test('a clock that was right must be about right, however long the box lay without power', async (t) => {
	for (const nowMs of [rebootedMs - 5 * minuteMs, rebootedMs + 29 * dayMs]) {
		t.is(await ask(t, 'clock', {before: known, nowMs}), undefined);
	}
	for (const nowMs of [0, rebootedMs - 11 * minuteMs, rebootedMs + 3650 * dayMs]) {
		t.regex((await ask(t, 'clock', {before: known, nowMs})) ?? '', /the clock says .*left its old slot at 2026-06-01/u);
		t.is(
			await ask(t, 'clock', {before: {...known, connected: false}, nowMs}),
			undefined,
			'a clock that nobody checked',
		);
		t.is(await ask(t, 'clock', {nowMs}), undefined);
	}
});

test('a release whose firewall cannot be loaded does not stay', async (t) => {
	t.is(await ask(t, 'firewall', {}), undefined);
	const fault = 'the firewall’s rules cannot be loaded: nobody in the home is answered';
	t.is(await ask(t, 'firewall', {firewallFault: fault}), `Error: ${fault}`);
});
