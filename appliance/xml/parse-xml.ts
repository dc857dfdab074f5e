import {XMLParser, XMLValidator} from 'fast-xml-parser';
import {xmlError} from '#appliance/xml/xml-error.ts';

/** An element by its local name: peers differ in prefixes and in the year of the namespace, never in the names. */
export type XmlNode = {
	readonly name: string;
	/** By local name; an unprefixed attribute wins over a prefixed one of that name. */
	readonly attributes: ReadonlyMap<string, string>;
	readonly children: readonly XmlNode[];
	/** The text directly inside, references resolved, trimmed. */
	readonly text: string;
};

/** A service list of a thousand services has about 1.5 MB. */
const documentCharactersMax = 4 * 1024 * 1024;
const nodesMax = 60_000;
/** Counted before the library works, which takes about 10 µs for each on a set-top's processor. */
const tagsMax = 2 * nodesMax;
const depthMax = 32;

const textKey = '#text';
const cdataKey = '#cdata';
const attributesKey = ':@';

/**
 * Entities are left alone by the parser and only the references of XML itself are resolved here, so that no document
 * can define one: a document type is refused altogether.
 */
const createParser = (): XMLParser =>
	new XMLParser({
		preserveOrder: true,
		ignoreAttributes: false,
		attributeNamePrefix: '',
		parseTagValue: false,
		parseAttributeValue: false,
		processEntities: false,
		trimValues: false,
		ignoreDeclaration: true,
		ignorePiTags: true,
		cdataPropName: cdataKey,
		maxNestedTags: depthMax,
	});

/**
 * Parses a document from outside, such as one from the air, into a tree of bounded size.
 * @throws CodedError APPLIANCE_XML_TOO_LARGE, APPLIANCE_XML_MALFORMED
 */
export const parseXml = (xml: string): XmlNode => {
	if (xml.length > documentCharactersMax) {
		throw xmlError('APPLIANCE_XML_TOO_LARGE', 'This document is longer than any that is read.', {
			characters: xml.length,
		});
	}
	if (hasMoreTags(xml)) {
		throw xmlError('APPLIANCE_XML_TOO_LARGE', 'This document has more tags than any that is read.');
	}
	if (/<!(?!--|\[CDATA\[)/u.test(xml)) {
		throw xmlError('APPLIANCE_XML_MALFORMED', 'This document declares a document type, which is refused.');
	}
	const roots = parseLibrary(xml);
	let nodes = 0;
	const build = (raw: unknown, depth: number): XmlNode | undefined => {
		nodes += 1;
		if (nodes > nodesMax || depth > depthMax) {
			throw xmlError('APPLIANCE_XML_TOO_LARGE', 'This document has more elements than any that is read.');
		}
		const entry = recordOf(raw);
		const name = Object.keys(entry).find((key) => key !== attributesKey);
		if (name === undefined || name === textKey || name === cdataKey) {
			return undefined;
		}
		const content = listOf(entry[name]);
		return {
			name: localName(name),
			attributes: attributesOf(entry[attributesKey]),
			children: content.flatMap((child) => build(child, depth + 1) ?? []),
			text: content.map(textOf).join('').trim(),
		};
	};
	const elements = roots.flatMap((root) => build(root, 0) ?? []);
	const [root, ...others] = elements;
	if (root === undefined || others.length > 0) {
		throw xmlError('APPLIANCE_XML_MALFORMED', 'This document does not have exactly one root element.');
	}
	return root;
};

/** The library throws plain errors, and in odd corners errors of its own making; all of them mean the same to us. */
const parseLibrary = (xml: string): readonly unknown[] => {
	try {
		const verdict = XMLValidator.validate(xml);
		if (verdict !== true) {
			throw xmlError('APPLIANCE_XML_MALFORMED', 'This document is not well-formed XML.', {
				why: verdict.err.msg.slice(0, 200),
				line: verdict.err.line,
			});
		}
		return listOf(createParser().parse(xml));
	} catch (error) {
		throw xmlError('APPLIANCE_XML_MALFORMED', 'This document is not well-formed XML.', {}, error);
	}
};

const hasMoreTags = (xml: string): boolean => {
	let count = 0;
	for (let at = xml.indexOf('<'); at !== -1; at = xml.indexOf('<', at + 1)) {
		count += 1;
		if (count > tagsMax) {
			return true;
		}
	}
	return false;
};

const listOf = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : []);

const recordOf = (value: unknown): Readonly<Record<string, unknown>> =>
	typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};

const localName = (name: string): string => name.slice(name.lastIndexOf(':') + 1);

const attributesOf = (raw: unknown): ReadonlyMap<string, string> => {
	const entries = Object.entries(recordOf(raw)).filter(([name]) => name !== 'xmlns' && !name.startsWith('xmlns:'));
	const prefixedFirst = entries.toSorted(([a], [b]) => Number(b.includes(':')) - Number(a.includes(':')));
	return new Map(prefixedFirst.map(([name, value]) => [localName(name), resolveReferences(String(value)).trim()]));
};

const textOf = (raw: unknown): string => {
	const entry = recordOf(raw);
	if (entry[cdataKey] !== undefined) {
		return listOf(entry[cdataKey])
			.map((part) => String(recordOf(part)[textKey] ?? ''))
			.join('');
	}
	return entry[textKey] === undefined ? '' : resolveReferences(String(entry[textKey]));
};

const predefined: Readonly<Record<string, string>> = {amp: '&', lt: '<', gt: '>', quot: '"', apos: "'"};
const codePointMax = 0x10_ff_ff;

/** The five predefined entities and character references (XML 1.0 sections 4.1 and 4.6); others stay as they are. */
const resolveReferences = (text: string): string =>
	text.replace(
		/&(?:#x(?<hex>[0-9a-f]{1,6})|#(?<decimal>\d{1,7})|(?<name>amp|lt|gt|quot|apos));/giu,
		(whole: string, hex: string | undefined, decimal: string | undefined, name: string | undefined) => {
			if (name !== undefined) {
				return predefined[name] ?? whole;
			}
			const point = hex === undefined ? Number(decimal) : Number.parseInt(hex, 16);
			const surrogate = point >= 0xd8_00 && point <= 0xdf_ff;
			return point > 0 && point <= codePointMax && !surrogate ? String.fromCodePoint(point) : '\u{FFFD}';
		},
	);

export const childrenOf = (node: XmlNode | undefined, name: string): readonly XmlNode[] =>
	node?.children.filter((child) => child.name === name) ?? [];

export const childOf = (node: XmlNode | undefined, name: string): XmlNode | undefined =>
	node?.children.find((child) => child.name === name);

/** The text of a child; undefined when there is no such child. */
export const childText = (node: XmlNode | undefined, name: string): string | undefined => childOf(node, name)?.text;

/** The root, if it is the one expected. @throws CodedError APPLIANCE_XML_UNEXPECTED */
export const requireRoot = (root: XmlNode, name: string): XmlNode => {
	if (root.name !== name) {
		throw xmlError('APPLIANCE_XML_UNEXPECTED', `This document is not a ${name}.`, {
			root: root.name.slice(0, 100),
		});
	}
	return root;
};
