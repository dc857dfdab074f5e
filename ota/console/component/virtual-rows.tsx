import {useComputed, useSignal} from '@preact/signals';
import type {ComponentChildren, JSX} from 'preact';
import {useEffect, useRef} from 'preact/hooks';

export type VirtualRowsProps = {
	readonly label: string;
	readonly count: number;
	readonly hasMore: boolean;
	/** CSS grid columns of head and rows. */
	readonly columns: string;
	readonly head: ComponentChildren;
	readonly renderRow: (index: number) => ComponentChildren;
	readonly isSelected?: (index: number) => boolean;
	readonly onMore: () => void;
	readonly onVisible?: (from: number, to: number) => void;
	readonly onOpen?: (index: number) => void;
	readonly onSelect?: (index: number) => void;
	/** Drawn in place of rows when there are none. */
	readonly empty: ComponentChildren;
};

const overscan = 8;
/** Asks for the next page this many rows before the end is in sight. */
const aheadRows = 60;

/** Only the rows in sight are in the document; moves by keyboard as by wheel. */
export const VirtualRows = (props: VirtualRowsProps): JSX.Element => {
	const {label, count, hasMore, columns, head, renderRow, isSelected, onMore, onVisible, empty} = props;
	const element = useRef<HTMLDivElement>(null);
	const rowPx = useSignal(38);
	const top = useSignal(0);
	const height = useSignal(600);
	const active = useSignal(0);
	const from = useComputed(() => Math.max(0, Math.floor(top.value / rowPx.value) - overscan)).value;
	const to = Math.min(count, Math.ceil((top.value + height.value) / rowPx.value) + overscan);

	useEffect(() => {
		const list = element.current;
		if (list === null) {
			return;
		}
		const observer = new ResizeObserver(() => {
			height.value = list.clientHeight;
			rowPx.value = list.querySelector('.rows-probe')?.getBoundingClientRect().height || rowPx.value;
		});
		observer.observe(list);
		return () => observer.disconnect();
	}, []);
	useEffect(() => {
		onVisible?.(from, Math.max(from, to - 1));
		if (hasMore && to + aheadRows > count) {
			onMore();
		}
	}, [from, to, count, hasMore]);

	const onKeyDown = (event: KeyboardEvent): void => moveByKey(event, {...props, active, element, rowPx: rowPx.value});
	return (
		// biome-ignore lint/a11y/useSemanticElements: a table of a hundred thousand rows cannot be a table element.
		<div
			ref={element}
			class="rows"
			role="grid"
			aria-label={label}
			aria-rowcount={hasMore ? -1 : count + 1}
			tabIndex={0}
			style={{'--columns': columns}}
			onScroll={(event) => {
				top.value = event.currentTarget.scrollTop;
			}}
			onKeyDown={onKeyDown}
		>
			<div class="rows-probe" style={{position: 'absolute', visibility: 'hidden', height: 'var(--row)'}} />
			{/* biome-ignore lint/a11y/useSemanticElements: as above. */}
			{/* biome-ignore lint/a11y/useFocusableInteractive: the grid has the focus. */}
			<div class="rows-head" role="row">
				{head}
			</div>
			{count === 0 && !hasMore ? (
				// biome-ignore lint/a11y/useSemanticElements: as above.
				// biome-ignore lint/a11y/useFocusableInteractive: the grid has the focus.
				<div role="row">
					{/* biome-ignore lint/a11y/useSemanticElements: as above. */}
					<div role="cell">{empty}</div>
				</div>
			) : (
				<div class="rows-body" role="presentation" style={{height: `${count * rowPx.value}px`}}>
					{Array.from({length: Math.max(0, to - from)}, (_, offset) => {
						const index = from + offset;
						return (
							// biome-ignore lint/a11y/useSemanticElements: as above.
							// biome-ignore lint/a11y/useFocusableInteractive: the grid has the focus.
							<div
								key={index}
								class="rows-line"
								role="row"
								aria-rowindex={index + 2}
								aria-selected={isSelected?.(index) ?? false}
								data-active={index === active.value}
								style={{transform: `translateY(${index * rowPx.value}px)`}}
							>
								{renderRow(index)}
							</div>
						);
					})}
				</div>
			)}
		</div>
	);
};

type Moving = VirtualRowsProps & {
	readonly active: {value: number};
	readonly element: {readonly current: HTMLDivElement | null};
	readonly rowPx: number;
};

const moveByKey = (event: KeyboardEvent, moving: Moving): void => {
	const {active, element, rowPx, count} = moving;
	const list = element.current;
	if (list === null || event.target !== list) {
		return;
	}
	const pageRows = Math.max(1, Math.floor(list.clientHeight / rowPx) - 2);
	const steps: Readonly<Record<string, number>> = {ArrowDown: 1, ArrowUp: -1, PageDown: pageRows, PageUp: -pageRows};
	const step = event.key === 'Home' ? -count : event.key === 'End' ? count : steps[event.key];
	if (step !== undefined) {
		active.value = Math.min(count - 1, Math.max(0, active.value + step));
		const topPx = active.value * rowPx;
		// The head covers the first row's height.
		list.scrollTop = Math.min(topPx, Math.max(list.scrollTop, topPx + 2.2 * rowPx - list.clientHeight));
		event.preventDefault();
	} else if (event.key === 'Enter') {
		moving.onOpen?.(active.value);
	} else if (event.key === 'x') {
		moving.onSelect?.(active.value);
	}
};
