import test from 'ava';
import {goToBoxesByKeys, signInToConsole, withConsole} from '#test/helper/with-console.ts';

/** Whether what has the focus lies within it. */
const isFocusIn = (selector: string): string =>
	`(document.querySelector(${JSON.stringify(selector)})?.contains(document.activeElement) ?? false)`;

test('a list and its dialogs are used without a mouse', async (t) => {
	t.timeout(90_000);
	const open = await withConsole(t, {boxes: 300});
	const {page} = open;
	await signInToConsole(open);
	await goToBoxesByKeys(page);
	await page.getByRole('link', {name: 'headend-000000'}).waitFor();

	await page.getByRole('grid').focus();
	await page.keyboard.press('ArrowDown');
	await page.keyboard.press('x');
	await page.keyboard.press('ArrowDown');
	await page.keyboard.press('x');
	await page.getByText('2 boxes selected').waitFor();
	await page.getByRole('button', {name: 'Select all that match'}).press('Enter');
	await page.getByText('300 boxes selected').waitFor();

	// So many boxes are commanded only once their number was typed.
	await page.getByRole('button', {name: 'Send a command …'}).press('Enter');
	const dialog = page.getByRole('dialog');
	await dialog.waitFor();
	t.true(await dialog.getByRole('button', {name: 'Send'}).isDisabled());
	for (let times = 0; times < 12; times += 1) {
		await page.keyboard.press('Tab');
		// The browser's own controls come after the last field of a modal dialog, and nothing of the page behind it.
		t.true(await page.evaluate(`${isFocusIn('dialog')} || document.activeElement === document.body`));
	}
	await dialog.getByLabel(/type 300/u).fill('300');
	t.false(await dialog.getByRole('button', {name: 'Send'}).isDisabled());
	await page.keyboard.press('Escape');
	await dialog.waitFor({state: 'detached'});

	await page.getByRole('grid').focus();
	await page.keyboard.press('Home');
	await page.keyboard.press('Enter');
	await page.waitForURL(/\/boxes\/headend-000000$/u);
	await page.keyboard.press('?');
	await page.getByRole('heading', {name: 'Keyboard shortcuts'}).waitFor();
	await page.keyboard.press('Escape');
	await dialog.waitFor({state: 'detached'});
});
