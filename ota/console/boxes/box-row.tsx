import type {ComponentChildren, JSX} from 'preact';
import type {BoxSummary} from '#ota/contract/box-api.ts';
import {Age} from '../component/age.tsx';
import {HealthMark, PhaseBadge, PresenceBadge} from '../component/badge.tsx';
import {Icon} from '../component/icon.tsx';
import {Link} from '../component/link.tsx';
import {boxPath} from '../state/router.ts';
import './boxes.css';

export const boxColumns =
	'1.2rem minmax(15rem, 2fr) 6rem minmax(7rem, 1fr) minmax(6rem, 0.9fr) 7.5rem 8.5rem minmax(8rem, 1fr) minmax(8rem, 1.4fr)';

const columns = [
	['id', 'Box'],
	['kind', 'Kind'],
	['site', 'Site'],
	['release', 'Release'],
	['presence', 'Presence'],
	['lastSeenMs', 'Last seen'],
	['model', 'Model'],
] as const;

type HeadProps = {readonly sort: string; readonly onSort: (sort: string) => void};

export const BoxHead = ({sort, onSort}: HeadProps): JSX.Element => (
	<>
		{/* biome-ignore lint/a11y/useSemanticElements: the grid's cells are no table's. */}
		<span role="cell" />
		{columns.map(([column, text]) => {
			const isDown = sort === `-${column}`;
			const isSorted = isDown || sort === column;
			return (
				// biome-ignore lint/a11y/useSemanticElements: the grid's cells are no table's.
				// biome-ignore lint/a11y/useFocusableInteractive: the button within has the focus.
				<span key={column} role="columnheader" aria-sort={isSorted ? (isDown ? 'descending' : 'ascending') : undefined}>
					<button type="button" onClick={() => onSort(sort === column ? `-${column}` : column)}>
						{text} {isSorted && <Icon name={isDown ? 'down' : 'up'} />}
					</button>
				</span>
			);
		})}
		{/* biome-ignore lint/a11y/useSemanticElements: as above. */}
		{/* biome-ignore lint/a11y/useFocusableInteractive: there is nothing to press. */}
		<span role="columnheader">Update, tags</span>
	</>
);

type CellProps = {
	readonly class?: string;
	readonly title?: string;
	readonly children: ComponentChildren;
};

const Cell = (props: CellProps): JSX.Element => (
	// biome-ignore lint/a11y/useSemanticElements: the grid's cells are no table's.
	<span role="cell" {...props} />
);

type CellsProps = {
	readonly box: BoxSummary;
	readonly isSelected: boolean;
	readonly onToggle: (() => void) | undefined;
};

export const BoxCells = ({box, isSelected, onToggle}: CellsProps): JSX.Element => (
	<>
		<Cell>
			{onToggle !== undefined && (
				<input type="checkbox" aria-label={`Select ${box.id}`} checked={isSelected} onChange={onToggle} tabIndex={-1} />
			)}
		</Cell>
		<Cell class="with-mark">
			<HealthMark health={box.health} />
			<Link to={boxPath(box.id)} class="box-id">
				{box.id}
			</Link>
			{box.revokedMs !== null && <span class="tag">revoked</span>}
		</Cell>
		<Cell class="soft">{box.kind}</Cell>
		<Cell class="soft">{box.site ?? '–'}</Cell>
		<Cell class="mono">{box.release || '–'}</Cell>
		<Cell>
			<PresenceBadge presence={box.presence} />
		</Cell>
		<Cell class="soft">
			<Age atMs={box.lastSeenMs} />
		</Cell>
		<Cell class="soft" title={`${box.model} ${box.serial}`}>
			{box.model || '–'}
		</Cell>
		<Cell class="box-tags">
			{box.update.phase !== 'idle' && <PhaseBadge phase={box.update.phase} />}
			{box.tags.map((tag) => (
				<span key={tag} class="tag">
					{tag}
				</span>
			))}
		</Cell>
	</>
);
