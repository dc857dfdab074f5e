import {useSignal} from '@preact/signals';
import type {JSX} from 'preact';
import {useEffect, useId, useRef} from 'preact/hooks';
import {Icon} from '../component/icon.tsx';
import {type KnownValues, suggestionsFor} from './filter-suggestions.ts';
import './filter-input.css';

export type FilterInputProps = {
	readonly value: string;
	readonly known: KnownValues;
	/** What the server says of the filter that it was given. */
	readonly wrong?: string | undefined;
	readonly onChange: (filter: string) => void;
};

/** A pause in typing after which the list follows. */
const settleMs = 300;

/** The filter language with suggestions; what is wrong is told below it, with a mark where. */
export const FilterInput = (props: FilterInputProps): JSX.Element => {
	const {value, known, wrong, onChange} = props;
	const id = useId();
	const input = useRef<HTMLInputElement>(null);
	const text = useSignal(value);
	const caret = useSignal(value.length);
	const isOpen = useSignal(false);
	const chosen = useSignal(-1);
	const timer = useRef<ReturnType<typeof setTimeout>>(undefined);
	const suggestions = suggestionsFor(text.value.slice(0, caret.value), known);
	const words = isOpen.value ? suggestions.words : [];

	useEffect(() => {
		if (document.activeElement !== input.current) {
			text.value = value;
		}
	}, [value]);

	const settle = (waitMs = settleMs): void => {
		clearTimeout(timer.current);
		timer.current = setTimeout(() => onChange(text.value.trim()), waitMs);
	};
	const take = (word: string): void => {
		const start = text.value.slice(0, suggestions.from) + word;
		const isComplete = /^[a-z]/iu.test(word) && /[=<>~]\s*$|\($/u.test(text.value.slice(0, suggestions.from));
		const next = isComplete ? `${start} ` : start;
		text.value = next + text.value.slice(caret.value);
		caret.value = next.length;
		chosen.value = -1;
		requestAnimationFrame(() => input.current?.setSelectionRange(next.length, next.length));
		settle();
	};
	const onKeyDown = (event: KeyboardEvent): void => {
		if (event.key === 'Escape') {
			if (isOpen.value) {
				isOpen.value = false;
			} else {
				input.current?.blur();
			}
		} else if (event.key === 'ArrowDown' || event.key === 'ArrowUp') {
			isOpen.value = true;
			const step = event.key === 'ArrowDown' ? 1 : -1;
			chosen.value = (chosen.value + step + words.length + 1) % (words.length + 1);
			event.preventDefault();
		} else if ((event.key === 'Enter' || event.key === 'Tab') && words[chosen.value] !== undefined) {
			take(words[chosen.value] ?? '');
			event.preventDefault();
		} else if (event.key === 'Enter') {
			isOpen.value = false;
			settle(0);
		}
	};
	return (
		<div class="filter">
			<Icon name="search" />
			<input
				ref={input}
				class="input mono"
				type="text"
				role="combobox"
				data-search="true"
				aria-label="Filter of boxes"
				aria-expanded={words.length > 0}
				aria-controls={`${id}-words`}
				aria-autocomplete="list"
				aria-activedescendant={words[chosen.value] === undefined ? undefined : `${id}-${chosen.value}`}
				aria-invalid={wrong !== undefined}
				aria-describedby={`${id}-wrong`}
				placeholder="id or serial, or e.g.  kind=stb health!=ok lastSeen < 24h ago"
				autocomplete="off"
				spellcheck={false}
				value={text.value}
				onInput={(event) => {
					text.value = event.currentTarget.value;
					caret.value = event.currentTarget.selectionStart ?? text.value.length;
					isOpen.value = true;
					chosen.value = -1;
					settle();
				}}
				onKeyDown={onKeyDown}
				onBlur={() => {
					isOpen.value = false;
				}}
			/>
			{words.length > 0 && <Words id={id} words={words} chosen={chosen.value} onTake={take} />}
			<Wrong id={`${id}-wrong`} text={text.value} wrong={wrong} />
		</div>
	);
};

type WordsProps = {
	readonly id: string;
	readonly words: readonly string[];
	readonly chosen: number;
	readonly onTake: (word: string) => void;
};

const Words = ({id, words, chosen, onTake}: WordsProps): JSX.Element => (
	<div class="filter-words" id={`${id}-words`} role="listbox" aria-label="Suggestions">
		{words.map((word, index) => (
			// biome-ignore lint/a11y/useKeyWithClickEvents: the field above takes the keys.
			<div
				key={word}
				id={`${id}-${index}`}
				role="option"
				tabIndex={-1}
				aria-selected={index === chosen}
				class="mono"
				onMouseDown={(event) => event.preventDefault()}
				onClick={() => onTake(word)}
			>
				{word}
			</div>
		))}
	</div>
);

const Wrong = ({id, text, wrong}: {readonly id: string; readonly text: string; readonly wrong: string | undefined}) => {
	const column = Number(/\(column (?<column>\d+)\)/u.exec(wrong ?? '')?.groups?.['column'] ?? Number.NaN);
	return (
		<p id={id} class="filter-wrong" role="status">
			{wrong !== undefined && !Number.isNaN(column) && (
				<span class="mono" aria-hidden="true">
					{text.slice(Math.max(0, column - 13), column - 1)}
					<mark>{text.slice(column - 1, column + 11) || '␣'}</mark>
				</span>
			)}
			{wrong}
		</p>
	);
};
