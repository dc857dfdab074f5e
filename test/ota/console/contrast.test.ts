import {readFileSync} from 'node:fs';
import test from 'ava';

const css = readFileSync(new URL('../../../ota/console/style/token.css', import.meta.url), 'utf8');
const colours = new Map(
	[...css.matchAll(/--([\w-]+): (#[0-9a-f]{6});/gu)].map(([, name, value]) => [name, value ?? '']),
);

/** Relative luminance and contrast as WCAG 2.2 defines them. */
const luminance = (colour: string): number => {
	const [red = 0, green = 0, blue = 0] = [1, 3, 5].map((at) => {
		const share = Number.parseInt(colour.slice(at, at + 2), 16) / 255;
		return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
	});
	return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
};

const contrast = (one: string, other: string): number => {
	const [light = 0, dark = 0] = [luminance(one), luminance(other)].toSorted((a, b) => b - a);
	return (light + 0.05) / (dark + 0.05);
};

const colourOf = (name: string): string => (name.startsWith('#') ? name : (colours.get(name) ?? ''));

const atLeast = test.macro((t, ratio: number, pairs: readonly (readonly [string, string])[]) => {
	for (const [text, surface] of pairs) {
		const found = contrast(colourOf(text), colourOf(surface));
		t.true(found >= ratio, `${text} on ${surface}: ${found.toFixed(2)}`);
	}
});

const texts = ['text', 'soft', 'faint', 'accent', 'good', 'warn', 'bad'];
const surfaces = ['night', 'surface', 'raised'];

test(
	'every text passes WCAG AA on every surface',
	atLeast,
	4.5,
	texts.flatMap((text) => surfaces.map((surface) => [text, surface] as const)),
);
test('badges and filled buttons pass as well', atLeast, 4.5, [
	['good', 'good-wash'],
	['warn', 'warn-wash'],
	['bad', 'bad-wash'],
	['accent', 'accent-wash'],
	['soft', 'accent-wash'],
	['#ffffff', 'accent-fill'],
	['#ffffff', 'bad-fill'],
]);
test('the edge of a control is seen', atLeast, 3, [
	['edge', 'night'],
	['edge', 'surface'],
	['edge', 'raised'],
]);
