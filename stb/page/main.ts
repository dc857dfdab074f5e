document.title = 'StreamVerse';
