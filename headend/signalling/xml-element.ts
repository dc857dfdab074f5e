/**
 * A small XML serialiser of our own rather than fast-xml-parser's builder: signalling needs children in a schema's order,
 * attributes in the order given (equal facts give equal bytes, which is what versions are counted by), and never a
 * character that XML 1.0 forbids, whatever an operator typed as a title.
 */
export type XmlElement = {
	readonly name: string;
	readonly attributes: readonly (readonly [string, string])[];
	readonly children: readonly (XmlElement | string)[];
};

type AttributeValue = string | number | undefined;
type Child = XmlElement | string | number | undefined | readonly (XmlElement | undefined)[];

/** Attributes and children that are undefined are left out, so that optional facts read as one line each. */
export const element = (
	name: string,
	attributes: Readonly<Record<string, AttributeValue>>,
	...children: readonly Child[]
): XmlElement => ({
	name,
	attributes: Object.entries(attributes).flatMap(([key, value]) =>
		value === undefined ? [] : [[key, String(value)] as const],
	),
	children: children.flat().flatMap((child) => {
		if (child === undefined) {
			return [];
		}
		return [typeof child === 'object' ? child : String(child)];
	}),
});

/** An element that holds only text. */
export const text = (name: string, value: string | number): XmlElement => element(name, {}, value);

/** What is not a Char of XML 1.0 section 2.2; a document that holds one is not well-formed even when it is escaped. */
const forbiddenCharacters = /[^\t\n\r\u{20}-\u{D7FF}\u{E000}-\u{FFFD}\u{10000}-\u{10FFFF}]/gu;

const escapes: Readonly<Record<string, string>> = {
	'&': '&amp;',
	'<': '&lt;',
	'>': '&gt;',
	'"': '&quot;',
	'\t': '&#9;',
	'\n': '&#10;',
	'\r': '&#13;',
};

const escapeText = (value: string): string =>
	value.replace(forbiddenCharacters, '\u{FFFD}').replace(/[&<>\r]/gu, (character) => escapes[character] ?? character);

/** An attribute's value as it stands between its quotes. Line breaks are escaped too, because attribute-value normalisation would turn them into spaces. */
export const escapeAttribute = (value: string): string =>
	value
		.replace(forbiddenCharacters, '\u{FFFD}')
		.replace(/[&<>"\t\n\r]/gu, (character) => escapes[character] ?? character);

const serialiseElement = ({name, attributes, children}: XmlElement): string => {
	const opening = `<${name}${attributes.map(([key, value]) => ` ${key}="${escapeAttribute(value)}"`).join('')}`;
	if (children.length === 0) {
		return `${opening}/>`;
	}
	const content = children.map((child) => (typeof child === 'string' ? escapeText(child) : serialiseElement(child)));
	return `${opening}>${content.join('')}</${name}>`;
};

/** The whole document, without white space between elements: it is repeated every second on a paid-for carrier. */
export const serialiseDocument = (root: XmlElement): string =>
	`<?xml version="1.0" encoding="UTF-8"?>\n${serialiseElement(root)}\n`;
