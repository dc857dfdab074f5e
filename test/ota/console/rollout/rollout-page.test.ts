import {writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import test, {type ExecutionContext} from 'ava';
import type {Page} from 'playwright-core';
import type {Reason} from '#appliance/contract/fleet/release-schema.ts';
import {publishRelease} from '#ota/release/publish-release.ts';
import {addConsoleAccount, signInToConsole, type TestConsole, withConsole} from '#test/helper/with-console.ts';
import {type Judge, withConsoleAgents} from '#test/helper/with-console-agents.ts';
import {withDirectory} from '#test/helper/with-directory.ts';
import {withRelease} from '#test/helper/with-release.ts';

const boxCount = 6;
const deadlineMs = 120_000;
/** What each group takes of all boxes; the last takes the rest. */
const groups = [
	['canary', 'percent', '1'],
	['early', 'count', '2'],
	['rest', 'percent', '100'],
] as const;
/** In the order in which boxes are judged: a group begins when the one before it is done. */
const groupByBox = [0, 1, 1, 2, 2, 2];
const noTuner: Reason = {code: 'OTA_CHECK_FAILED', message: 'The tuner was not found after the update.'};

/** A fleet with a published release and boxes that carry orders out, and its console with an operator signed in. */
const withRolloutConsole = async (t: ExecutionContext, judge: Judge): Promise<TestConsole> => {
	const release = await withRelease(t, {sizeBytes: 20_000});
	const caFile = join(await withDirectory(t), 'ca.pem');
	await writeFile(caFile, release.key.caPem);
	const open = await withConsole(t, {boxes: 0, config: {release: {caFile}}});
	const {fleet} = open;
	await withConsoleAgents(t, fleet, {count: boxCount, phaseMs: 120, judge});
	await publishRelease({
		fleet: {url: fleet.url, token: fleet.token},
		directory: release.directory,
		manifest: release.manifestBytes,
		signature: release.signature,
		signal: AbortSignal.timeout(deadlineMs),
	});
	await addConsoleAccount(fleet, 'olga', 'operator');
	await addConsoleAccount(fleet, 'anton', 'approver');
	await signInToConsole(open, 'olga');
	return open;
};

/** Through the wizard, as a person does; answers the address of the rollout. */
const makeRollout = async ({page, fleet}: TestConsole, name: string): Promise<string> => {
	await page.goto(`${fleet.url}/rollouts`);
	await page.getByRole('link', {name: 'New rollout'}).click();
	await page.getByLabel('Name', {exact: true}).fill(name);
	for (const [index, [group, unit, size]] of groups.entries()) {
		const row = page.locator('.group-edit').nth(index);
		await row.getByRole('textbox', {name: 'Group'}).fill(group);
		await row.getByLabel('Sized by').selectOption(unit);
		await row.getByLabel(unit === 'count' ? 'Number of boxes' : '% of boxes').fill(size);
		await row.getByLabel('Fails at %').fill('10');
	}
	await page.getByRole('button', {name: 'Preview'}).click();
	await page.getByText(`${boxCount} boxes match.`).waitFor();
	// As ordered: one of six is the least that 1 % can be, then two by count, then what is left.
	for (const [index, boxes] of ['1', '2', '3'].entries()) {
		await page
			.locator('.step-review tbody tr')
			.nth(index)
			.getByRole('cell', {name: boxes, exact: true})
			.first()
			.waitFor();
	}
	await page.getByRole('button', {name: 'Make the rollout'}).click();
	await page.waitForURL(/\/rollouts\/[a-z0-9]{12}$/u);
	return page.url();
};

/** Presses a button and the same verb in the dialog that asks once more. */
const press = async (page: Page, verb: string): Promise<void> => {
	await page.getByRole('button', {name: `${verb} …`}).click();
	await page.getByRole('dialog').getByLabel('Why').fill('by a test');
	await page.getByRole('dialog').getByRole('button', {name: verb, exact: true}).click();
	await page.getByRole('dialog').waitFor({state: 'detached'});
};

const approve = async ({browser, fleet}: TestConsole, address: string): Promise<void> => {
	const page = await browser.newPage();
	await signInToConsole({fleet, page}, 'anton');
	await page.goto(address);
	await press(page, 'Approve');
	await page.locator('.page-head').getByText('approved').waitFor();
	await page.close();
};

/** So that a reload would be seen: it takes the mark with it. */
const mark = (page: Page): Promise<unknown> => page.evaluate('globalThis.sameDocument = true');
const isMarked = (page: Page): Promise<unknown> => page.evaluate('globalThis.sameDocument === true');

test('a person watches a rollout go through three groups after a second one approved it', async (t) => {
	t.timeout(deadlineMs);
	// A group is under way until the page has shown it: the page asks once a second at most.
	const shown = groups.map(() => Promise.withResolvers<void>());
	let judged = 0;
	const open = await withRolloutConsole(t, async () => {
		const group = groupByBox[judged] ?? 0;
		judged += 1;
		await shown[group]?.promise;
		return undefined;
	});
	const {page} = open;
	const address = await makeRollout(open, 'go through');
	await page.locator('.page-head').getByText('Somebody else has to approve it').waitFor();
	t.is(await page.getByRole('button', {name: 'Approve …'}).count(), 0);
	await mark(page);

	await approve(open, address);
	await press(page, 'Start');
	for (const [index, [group]] of groups.entries()) {
		await page.getByRole('listitem', {name: `Group ${group}: running`}).waitFor();
		shown[index]?.resolve();
	}
	await page.locator('.page-head').getByText('finished').waitFor({timeout: 60_000});
	for (const [group] of groups) {
		await page.getByRole('listitem', {name: `Group ${group}: done`}).waitFor();
	}
	t.is(await isMarked(page), true);
	t.is(await page.getByRole('button', {name: /Pause|Abort|Resume/u}).count(), 0);
});

test('a failing group pauses a rollout, and the page says which boxes failed and why', async (t) => {
	t.timeout(deadlineMs);
	let isTunerBroken = true;
	const failed: string[] = [];
	const open = await withRolloutConsole(t, async (id) => {
		if (!isTunerBroken) {
			// Nobody comes to an end any more: the rollout is still under way when it is aborted.
			return await new Promise<never>(() => undefined);
		}
		failed.push(id);
		return noTuner;
	});
	const {page} = open;
	const address = await makeRollout(open, 'falls over');
	await mark(page);
	await approve(open, address);
	await press(page, 'Start');

	await page.locator('.page-head').getByText('paused').waitFor({timeout: 60_000});
	await page.getByText('Paused:').waitFor();
	const reason = page.locator('.reason', {hasText: noTuner.message});
	await reason.waitFor();
	t.true(failed.length > 0 && failed.length < boxCount);
	for (const id of failed) {
		await reason.getByRole('link', {name: id}).waitFor();
	}

	isTunerBroken = false;
	await press(page, 'Resume');
	await page.getByRole('listitem', {name: 'Group early: running'}).waitFor();
	await press(page, 'Abort');
	await page.locator('.page-head').getByText('aborted').waitFor();
	t.is(await isMarked(page), true);
});
