"""Appeals (诉求): subjects and competences as data, suggestions, and what makes two of them one."""
